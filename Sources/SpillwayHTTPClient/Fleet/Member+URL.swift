#if HTTPClientSupport
internal import Spillway

extension Member {
    /// The URL of `path`, which begins with a slash, at this member.
    ///
    /// The address is a URL without query, or `host:port` for plain HTTP.
    func url(_ path: String) -> String {
        var base = address.contains("://") ? address : "http://\(address)"
        while base.hasSuffix("/") { base.removeLast() }
        return base + path
    }
}
#endif
