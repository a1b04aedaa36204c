#if HTTPClientSupport
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
public import Spillway

extension Member {
    /// The URL of `path`, which begins with a slash, at this member.
    ///
    /// The address is a URL without query, or `host:port` for plain HTTP.
    func url(_ path: String) -> String {
        var base = address.contains("://") ? address : "http://\(address)"
        while base.hasSuffix("/") { base.removeLast() }
        return base + path
    }

    /// Refuses an address that no request can be sent to.
    ///
    /// - Throws: `ConfigurationError` with the address.
    public func validateURL() throws(ConfigurationError) {
        let url = URL(string: url("/")), host = url?.host ?? ""
        try Validation("Member \(name)").require(
            ["http", "https"].contains(url?.scheme?.lowercased()) && !host.isEmpty && url?.query == nil
                && url?.fragment == nil && url?.user == nil,
            "address", "'\(url?.user == nil ? address : "(with a user)")'",
            "host:port, [IPv6]:port, or an http or https URL, without user, query and fragment")
    }
}
#endif
