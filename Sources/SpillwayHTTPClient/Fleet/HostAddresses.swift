#if HTTPClientSupport
internal import NIOPosix
internal import Spillway
#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The addresses of hosts, as the system knows them.
enum HostAddresses {
    /// The addresses of `host` as text, of a family or of any.
    ///
    /// Returns at once when the task is cancelled; the system's own look-up, which cannot be, ends by itself.
    static func of(_ host: String, _ family: DNSMembers.Family) async throws -> [String] {
        let (answers, answer) = AsyncThrowingStream.makeStream(of: [String].self)
        // It blocks: for that NIO has threads.
        NIOThreadPool.singleton.submit { state in
            guard case .active = state else { return answer.finish() }
            answer.yield(with: Result { try look(up: host, family) })
            answer.finish()
        }
        for try await addresses in answers { return addresses }
        throw CancellationError()
    }

    private static func look(
        up host: String, _ family: DNSMembers.Family
    ) throws(UnresolvedHost) -> [String] {
        do throws(UnresolvedHost) {
            // An address stands for itself, wherever this machine has addresses.
            return try ask(for: host, family, AI_NUMERICHOST)
        } catch {
            // Who wants a family by name gets it. Of any there are only those of which this machine has an address itself.
            return try ask(for: host, family, family == .any ? AI_ADDRCONFIG : 0)
        }
    }

    private static func ask(
        for host: String, _ family: DNSMembers.Family, _ flags: CInt
    ) throws(UnresolvedHost) -> [String] {
        var hints = addrinfo(), list: UnsafeMutablePointer<addrinfo>?, addresses: [String] = []
        hints.ai_flags = flags
        hints.ai_family =
            switch family {
            case .any: AF_UNSPEC
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            }
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { throw UnresolvedHost(host: host, reason: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var next = list
        while let entry = next?.pointee {
            if let address = text(entry) { addresses.append(address) }
            next = entry.ai_next
        }
        return addresses
    }

    private static func text(_ entry: addrinfo) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = getnameinfo(
            entry.ai_addr, entry.ai_addrlen, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
#endif
