#if ValkeySupport
internal import SpillwayCore

/// What a URL says of a server: `redis://user:password@host:port/database`.
struct ValkeyAddress: Sendable, Hashable {
    var host: String
    var port: Int32 = 6379
    var user: String?
    var password: String?
    var database = 0

    /// Where it is, without the password.
    var place: String { "\(host):\(port)" }

    init(_ url: String) throws(ConfigurationError) {
        var rest = Substring(url)
        guard let scheme = rest.range(of: "://") else { throw Self.refusal(url, "redis://host:port/database") }
        let name = rest[..<scheme.lowerBound].lowercased()
        guard name != "rediss", name != "valkeys" else {
            throw Self.refusal(
                url, "redis:// or valkey://: there is no TLS here; a tunnel beside the process can do it")
        }
        guard name == "redis" || name == "valkey" else { throw Self.refusal(url, "redis:// or valkey://") }
        rest = rest[scheme.upperBound...]
        if rest.contains("?") || rest.contains("#") { throw Self.refusal(url, "a URL without parameters") }
        if let slash = rest.lastIndex(of: "/"), !rest[slash...].contains("@") {
            let digits = rest[rest.index(after: slash)...]
            if !digits.isEmpty {
                guard let number = Int(digits), number >= 0, !digits.hasPrefix("+") else {
                    throw Self.refusal(url, "a database that is a number, 0 or above")
                }
                database = number
            }
            rest = rest[..<slash]
        }
        if let at = rest.lastIndex(of: "@") {
            let words = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let user = Self.decoded(words[0]), let password = words.count > 1 ? Self.decoded(words[1]) : "" else {
                throw Self.refusal(url, "a user and a password in which % stands before two hexadecimal digits")
            }
            // `redis://:password@host` names no user, and `redis://user@host` no password.
            self.user = user.isEmpty ? nil : user
            self.password = words.count > 1 ? password : nil
            guard self.password != nil else { throw Self.refusal(url, "a password for the user") }
            rest = rest[rest.index(after: at)...]
        }
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { throw Self.refusal(url, "an address between [ and ]") }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = String(rest[..<end])
            rest = rest[end...]
        }
        guard !host.isEmpty, !host.contains("\0"), !host.contains("/") else {
            throw Self.refusal(url, "a URL with a host")
        }
        guard !rest.isEmpty else { return }
        guard rest.hasPrefix(":"), let number = Int32(rest.dropFirst()), (1...65_535).contains(number) else {
            throw Self.refusal(url, "a port from 1 to 65535")
        }
        port = number
    }

    /// Says what is wrong, and never a password.
    private static func refusal(_ url: String, _ expected: String) -> ConfigurationError {
        var shown = url
        if let at = url.lastIndex(of: "@") {
            let start = url.range(of: "://")?.upperBound ?? url.startIndex
            if start <= at { shown = url[..<start] + "…" + url[at...] }
        }
        return ConfigurationError(policy: "ValkeyLeaseStore", field: "url", value: shown, expected: expected)
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = [], rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension Substring {
    fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}

extension String {
    fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}
#endif
