//! Which addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anybody on the internet.
    Public,
    /// This machine, or a network that is not the internet. Reached only if the operator names the host.
    Private,
    /// Where clouds keep the credentials of the machine, and what is no single machine at all. Reached only if
    /// the operator names the very address.
    Reserved,
}

/// What this address is for. Addresses that carry another one in them are what that one is.
pub(crate) fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

/// The registry of special-purpose addresses (RFC 6890 and its successors).
fn kind_v4(address: Ipv4Addr) -> Kind {
    // The platform services of Azure, at an address that looks like any other.
    const AZURE: [u8; 4] = [168, 63, 129, 16];
    match address.octets() {
        // Link-local; 169.254.169.254 and its neighbours tell a machine's credentials to whoever asks.
        [169, 254, ..] => Kind::Reserved,
        // Alibaba's and Oracle's places for the same.
        [100, 100, 100, 200] | [192, 0, 0, 192] | AZURE => Kind::Reserved,
        // Loopback, private use, shared by carriers.
        [127, ..] | [10, ..] | [192, 168, ..] => Kind::Private,
        [172, second, ..] if second & 0xf0 == 16 => Kind::Private,
        [100, second, ..] if second & 0xc0 == 64 => Kind::Private,
        // Benchmarks between two machines.
        [198, 18 | 19, ..] => Kind::Private,
        // This network: connecting to 0.0.0.0 reaches the machine itself.
        [0, ..] => Kind::Reserved,
        // Protocol assignments, examples, 6to4 relays.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => Kind::Reserved,
        // Multicast, the future, broadcast.
        [224..=255, ..] => Kind::Reserved,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    let segments = address.segments();
    let [high, low] = [segments[6], segments[7]].map(u16::to_be_bytes);
    let last_four = kind_v4(Ipv4Addr::new(high[0], high[1], low[0], low[1]));
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Private,
        // v4-mapped: the system connects to the IPv4 address.
        [0, 0, 0, 0, 0, 0xffff, _, _] => last_four,
        // NAT64: a gateway does.
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => last_four,
        // 6to4: a relay does.
        [0x2002, a, b, ..] => {
            let [a, b] = [a, b].map(u16::to_be_bytes);
            kind_v4(Ipv4Addr::new(a[0], a[1], b[0], b[1]))
        }
        // Amazon's place for credentials.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Kind::Reserved,
        // Unique local.
        [first, ..] if first & 0xfe00 == 0xfc00 => Kind::Private,
        // Teredo and other protocols, examples.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => Kind::Reserved,
        [0x3fff, second, ..] if second < 0x1000 => Kind::Reserved,
        // Of the rest only this eighth has been given to anybody.
        [first, ..] if first & 0xe000 == 0x2000 => Kind::Public,
        _ => Kind::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str) -> Kind {
        kind(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for text in ["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "198.20.0.1", "223.255.255.255"] {
            assert_eq!(kind_of(text), Kind::Public, "{text}");
        }
        for text in ["2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"] {
            assert_eq!(kind_of(text), Kind::Public, "{text}");
        }
    }

    #[test]
    fn addresses_of_this_machine_and_of_private_networks_are_private_in_every_form() {
        for text in ["127.0.0.1", "127.255.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "172.31.9.9", "100.64.0.1"] {
            assert_eq!(kind_of(text), Kind::Private, "{text}");
            assert_eq!(kind_of(&format!("::ffff:{text}")), Kind::Private, "mapped {text}");
            assert_eq!(kind_of(&format!("64:ff9b::{text}")), Kind::Private, "NAT64 {text}");
        }
        for text in ["::1", "fc00::1", "fd12:3456::1", "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::1"] {
            assert_eq!(kind_of(text), Kind::Private, "{text}");
        }
    }

    #[test]
    fn places_of_credentials_and_of_no_machine_are_reserved_in_every_form() {
        for text in ["169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "0.0.0.0"] {
            assert_eq!(kind_of(text), Kind::Reserved, "{text}");
            assert_eq!(kind_of(&format!("::ffff:{text}")), Kind::Reserved, "mapped {text}");
            assert_eq!(kind_of(&format!("64:ff9b::{text}")), Kind::Reserved, "NAT64 {text}");
        }
        for text in ["224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "::", "fe80::1", "fec0::1", "ff02::1"] {
            assert_eq!(kind_of(text), Kind::Reserved, "{text}");
        }
        for text in
            ["fd00:ec2::254", "2001::1", "2001:db8::1", "2002:a9fe:a9fe::1", "::127.0.0.1", "64:ff9b:1::1", "100::1"]
        {
            assert_eq!(kind_of(text), Kind::Reserved, "{text}");
        }
    }

    #[test]
    fn each_block_of_addresses_is_known_from_its_first_to_its_last() {
        for (first, last, kind) in [
            ("0.0.0.0", "0.255.255.255", Kind::Reserved),
            ("10.0.0.0", "10.255.255.255", Kind::Private),
            ("100.64.0.0", "100.100.100.199", Kind::Private),
            ("100.127.255.255", "100.100.100.201", Kind::Private),
            ("127.0.0.0", "127.255.255.255", Kind::Private),
            ("169.254.0.0", "169.254.255.255", Kind::Reserved),
            ("172.16.0.0", "172.31.255.255", Kind::Private),
            ("192.168.0.0", "192.168.255.255", Kind::Private),
            ("198.18.0.0", "198.19.255.255", Kind::Private),
            ("224.0.0.0", "239.255.255.255", Kind::Reserved),
            ("240.0.0.0", "255.255.255.255", Kind::Reserved),
        ] {
            for address in [first, last] {
                let parts: Ipv4Addr = address.parse().unwrap();
                let [a, b, c, d] = parts.octets();
                let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                assert_eq!(kind_of(address), kind, "{address}");
                assert_eq!(kind_of(&format!("::ffff:{address}")), kind, "mapped {address}");
                assert_eq!(kind_of(&format!("64:ff9b::{address}")), kind, "NAT64 {address}");
                assert_eq!(kind_of(&format!("2002:{high:x}:{low:x}::1")), kind, "6to4 {address}");
                // Compatible, translated, and tunnelled through who knows where.
                for form in [format!("::{address}"), format!("::ffff:0:{address}"), format!("2001::{high:x}:{low:x}")] {
                    assert_ne!(kind_of(&form), Kind::Public, "{form}");
                }
            }
        }
        for (address, kind) in [
            ("::", Kind::Reserved),
            ("::1", Kind::Private),
            ("::2", Kind::Reserved),
            ("100::", Kind::Reserved),
            ("64:ff9b:1::", Kind::Reserved),
            ("2001:1ff:ffff::", Kind::Reserved),
            ("2001:db8:ffff::", Kind::Reserved),
            ("3fff:fff::", Kind::Reserved),
            ("fc00::", Kind::Private),
            ("fdff:ffff::", Kind::Private),
            ("fd00:ec2::254", Kind::Reserved),
            ("fe80::", Kind::Reserved),
            ("febf:ffff::", Kind::Reserved),
            ("fec0::", Kind::Reserved),
            ("ff00::", Kind::Reserved),
            ("ffff::", Kind::Reserved),
            ("2606:4700::1111", Kind::Public),
        ] {
            assert_eq!(kind_of(address), kind, "{address}");
        }
    }
}
