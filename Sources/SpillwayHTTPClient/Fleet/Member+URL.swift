#if HTTPClientSupport
public import Spillway

extension Member {
    /// Where `path` lies at the replica: below its address if that is a URL, else by plain HTTP at that host and port.
    public func url(_ path: String) -> String {
        let base = address.contains("://") ? address : "http://\(address)"
        return (base.hasSuffix("/") ? String(base.dropLast()) : base) + (path.hasPrefix("/") ? path : "/" + path)
    }
}
#endif
