#if ValkeySupport
internal import Admission
internal import CHiredis
internal import SpillwayCore

/// One connection, used by one thread at a time; it blocks.
final class ValkeyConnection {
    /// What a server answers to a command.
    indirect enum Reply {
        case text(String)
        case number(Int64)
        case list([Reply])
        case none
        /// It refused: the first word says why.
        case error(String)

        var text: String? {
            switch self {
            case .text(let text): text
            case .number(let number): "\(number)"
            default: nil
            }
        }
    }

    private let address: ValkeyAddress
    private let context: UnsafeMutablePointer<redisContext>
    /// The names under which the server knows scripts.
    private var loaded: [String: String] = [:]

    /// Connects, says who it is, and chooses the database.
    init(_ address: ValkeyAddress, connectTimeout: Duration, commandTimeout: Duration) throws(LeaseStoreError) {
        self.address = address
        guard let context = spw_redis_connect(address.host, address.port, connectTimeout.microseconds) else {
            throw LeaseStoreError(.unreachable, "\(address.place): there is no memory for a connection")
        }
        self.context = context
        guard context.pointee.err == 0 else { throw failure() }
        guard spw_redis_set_timeout(context, commandTimeout.microseconds) == REDIS_OK else { throw failure() }
        if let password = address.password {
            try expectOK(["AUTH"] + (address.user.map { [$0] } ?? []) + [password], shown: "AUTH")
        }
        if address.database != 0 { try expectOK(["SELECT", "\(address.database)"], shown: "SELECT") }
    }

    deinit { redisFree(context) }

    private func expectOK(_ words: [String], shown: String) throws(LeaseStoreError) {
        guard case .error(let text) = try command(words) else { return }
        let error = refusal(text, "to \(shown)")
        // A server that does not know the command repeats what came with it: the password.
        let isPlain = words[0] != "AUTH" || !error.description.hasSuffix(text)
        throw isPlain ? error : LeaseStoreError(error.kind, "\(address.place) refused to \(shown)")
    }

    /// Runs a script, by its name where the server knows it.
    func run(_ script: String, keys: [String], _ arguments: [String]) throws(LeaseStoreError) -> [String] {
        var reply = Reply.error("NOSCRIPT")
        let rest = ["\(keys.count)"] + keys + arguments
        if loaded[script] == nil, case .text(let name) = try command(["SCRIPT", "LOAD", script]) {
            loaded[script] = name
        }
        if let name = loaded[script] { reply = try command(["EVALSHA", name] + rest) }
        // It has forgotten its scripts, or does not let them be loaded.
        if case .error(let text) = reply, text.hasPrefix("NOSCRIPT") { reply = try command(["EVAL", script] + rest) }
        switch reply {
        case .error(let text): throw refusal(text, "a script for \(keys.first ?? "")")
        case .list(let list):
            let texts = list.compactMap(\.text)
            if texts.count == list.count { return texts }
            fallthrough
        default: throw LeaseStoreError(.malformed, "\(address.place): answered a script with \(reply)")
        }
    }

    /// Sends a command, and waits for its answer.
    func command(_ words: [String]) throws(LeaseStoreError) -> Reply {
        let bytes = words.map { Array($0.utf8) }
        let buffer = bytes.flatMap { $0 }, lengths = bytes.map(\.count)
        let reply = buffer.withUnsafeBufferPointer { buffer -> UnsafeMutablePointer<redisReply>? in
            var pointers: [UnsafePointer<CChar>?] = [], offset = 0
            // An empty word needs an address as well.
            var nothing: CChar = 0
            return withUnsafePointer(to: &nothing) { nothing in
                for length in lengths {
                    let start = buffer.baseAddress.map {
                        UnsafeRawPointer($0 + offset).assumingMemoryBound(to: CChar.self)
                    }
                    pointers.append(length == 0 ? nothing : start)
                    offset += length
                }
                return spw_redis_command(context, Int32(words.count), &pointers, lengths)
            }
        }
        guard let reply else { throw failure() }
        defer { spw_redis_free(reply) }
        return Self.read(UnsafePointer(reply))
    }

    private static func read(_ reply: UnsafePointer<redisReply>) -> Reply {
        let value = reply.pointee
        var text: String {
            String(decoding: UnsafeRawBufferPointer(start: value.str, count: Int(value.len)), as: UTF8.self)
        }
        switch value.type {
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: return .text(text)
        case REDIS_REPLY_ERROR: return .error(text)
        case REDIS_REPLY_INTEGER: return .number(value.integer)
        case REDIS_REPLY_ARRAY:
            return .list((0..<value.elements).map { spw_redis_element(reply, $0).map { read($0) } ?? .none })
        default: return .none
        }
    }

    /// Why the connection is of no use any more.
    private func failure() -> LeaseStoreError {
        let text = String(cString: spw_redis_problem(context))
        // What the system says when a socket's time is over.
        let isLate = ["temporarily unavailable", "timed out"].contains { text.contains($0) }
        return LeaseStoreError(
            isLate ? .timedOut : .unreachable, "\(address.place): \(isLate ? "no answer in time" : text)")
    }

    /// What an error that the server answered means.
    private func refusal(_ text: String, _ what: String) -> LeaseStoreError {
        // Before it knows who asks, a server takes only short commands.
        let word = text.contains("unauthenticated") ? "NOAUTH" : text.prefix { $0 != " " }
        let place = address.place
        switch word {
        case "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN":
            return LeaseStoreError(.unreachable, "\(place) is not ready: \(text)")
        case "MOVED", "ASK":
            let node = text.split(separator: " ").last ?? "another node"
            return LeaseStoreError(.refused, "\(place) does not have this key, \(node) does: give that one's URL")
        case "NOAUTH": return LeaseStoreError(.refused, "\(place) wants a password, and the URL has none")
        case "WRONGPASS":
            return LeaseStoreError(.refused, "\(place) does not accept the user or the password of the URL")
        case "READONLY": return LeaseStoreError(.refused, "\(place) is a replica, which cannot be written to")
        default: return LeaseStoreError(.refused, "\(place) refused \(what): \(text)")
        }
    }
}
#endif
