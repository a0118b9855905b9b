//! The search for secrets in what a program has written: plain, in base64, percent-encoded, in hexadecimal.

/// None of the secrets is in the output in any form, nor is a digest response.
pub(crate) fn assert_clean(what: &str, output: &str, secrets: &[&str]) {
    for (name, form) in forms(secrets) {
        assert!(!output.contains(&form), "{what}: a secret in {name} form is in {output}");
    }
    // RFC 7616 §3.4.1: the response is a function of the password that can be attacked offline.
    for (at, _) in output.match_indices("response=\"") {
        let value = output[at + 10..].split('"').next().unwrap_or_default();
        assert!(
            !value.bytes().any(|byte| byte.is_ascii_hexdigit()) || value.len() < 16,
            "{what}: a digest response is in {output}"
        );
    }
}

/// Every form in which a secret could leak.
fn forms(secrets: &[&str]) -> Vec<(&'static str, String)> {
    let mut forms = Vec::new();
    for &secret in secrets {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let percent: String = secret
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
        forms.extend([
            ("plain", secret.to_owned()),
            ("hex", hex),
            ("percent", percent.clone()),
            ("percent", percent.to_lowercase()),
        ]);
        forms.push(("plus", secret.replace(' ', "+")));
        forms.push(("escaped", sip_message::printable(secret.as_bytes())));
        forms.push(("debug", format!("{secret:?}").trim_matches('"').to_owned()));
        // Wherever it stands in a longer text, one of three alignments shows all but its edges.
        for lead in 0..3 {
            let whole = base64(&[&vec![b'x'; lead], secret.as_bytes()].concat());
            let inner = whole.get(4..whole.len() - 4).expect("the secrets are longer than that").to_owned();
            forms.push(("base64", inner));
        }
    }
    forms
}

/// RFC 4648 §4, without padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).map(|chunk| {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..=chunk.len())
            .map(|at| char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize]))
            .collect::<String>()
    });
    groups.collect()
}
