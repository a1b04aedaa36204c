#if HTTPClientSupport
internal import Spillway

extension Member {
    /// The URL of a page that a label names; nil without that label.
    ///
    /// The label is a URL, `host:port`, or `:port` on the member's own host, with a path or without one.
    func page(_ label: String, path: String) -> String? {
        guard let value = labels[label] else { return nil }
        let place = value.hasPrefix(":") ? host + value : value
        let url = place.contains("://") ? place : "http://\(place)"
        return Self.afterScheme(url).contains("/") ? url : url + path
    }

    /// Whether a page is at the address: of the same scheme, host and port.
    func isAtAddress(_ url: String) -> Bool { Self.origin(of: url) == Self.origin(of: self.url("/")) }

    /// The scheme, the host and the port of a URL; what is in doubt, such as a user's name, makes it another one.
    private static func origin(of url: String) -> String {
        let scheme = url.prefix(upTo: url.firstRange(of: "://")?.lowerBound ?? url.startIndex).lowercased()
        let authority = afterScheme(url).prefix { !"/?#".contains($0) }.lowercased()
        let hasPort = authority.lastIndex(of: ":").map { !authority[$0...].contains("]") } ?? false
        let usual = scheme == "https" ? ":443" : ":80"
        return "\(scheme)://\(authority)\(hasPort ? "" : usual)"
    }

    /// The host of the address, an IPv6 address in its brackets.
    private var host: String {
        let authority = Self.afterScheme(address).prefix { $0 != "/" }
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else {
            return String(authority)
        }
        return String(authority[..<colon])
    }

    private static func afterScheme(_ url: String) -> Substring {
        url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    }
}
#endif
