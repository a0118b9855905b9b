//! The tags of Wireshark's exported PDUs (wsutil/exported_pdu_tlvs.h): a capture writes them and an inspection reads them. Not the packets
//! that they stand in.

pub(crate) const END: u16 = 0;
pub(crate) const DISSECTOR: u16 = 12;
pub(crate) const IPV4_SOURCE: u16 = 20;
pub(crate) const IPV4_DESTINATION: u16 = 21;
pub(crate) const IPV6_SOURCE: u16 = 22;
pub(crate) const IPV6_DESTINATION: u16 = 23;
pub(crate) const PORT_TYPE: u16 = 24;
pub(crate) const SOURCE_PORT: u16 = 25;
pub(crate) const DESTINATION_PORT: u16 = 26;
