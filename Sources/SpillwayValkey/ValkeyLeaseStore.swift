// This module is empty unless the package trait `ValkeySupport` is enabled:
// .package(url: …, from: …, traits: ["ValkeySupport"])
#if ValkeySupport
public import Admission
internal import Dispatch
public import SpillwayCore

/// Keeps the limits of a fleet in a server of Valkey or Redis, 6.2 or newer.
///
/// This module is empty unless the package trait `ValkeySupport` is enabled.
///
/// It keeps their boards of breakers as well. One connection, on a thread that is not one of Swift's tasks, serves all limits
/// and boards of the process; each request is one script, which is one atomic step in the server, by the server's clock. The
/// keys of a limit have a hash tag, so that in a cluster they are on one node: connect to that one.
///
/// The server must not evict keys (`maxmemory-policy noeviction`), and must know how long it has been up: a user whose rights
/// do not include `INFO` cannot tell a server that has lost its memory from one that has not.
public final class ValkeyLeaseStore: LeaseStore {
    private struct State {
        var connection: ValkeyConnection?
        var failures = 0
        var retryAt = Instant(nanoseconds: .min)
        var failure: LeaseStoreError?
        var isClosed = false
    }

    private static let firstRetry = Duration.milliseconds(20)
    private static let longestRetry = Duration.milliseconds(500)

    private let address: ValkeyAddress
    let prefix: String
    private let connectTimeout: Duration
    private let commandTimeout: Duration
    private let queue = DispatchQueue(label: "spillway.valkey")
    /// Touched on the queue alone.
    private let state = Locked(State())

    /// A store that connects when it is first asked, and again when the connection was lost.
    ///
    /// - Parameters:
    ///   - url: `redis://user:password@host:port/database` or `valkey://…`; all but the host may be left out. In the user and
    ///     the password, `%` stands before two hexadecimal digits.
    ///   - prefix: What the keys begin with, 1 to 100 bytes; `spillway:` by default.
    ///   - connectTimeout: The longest that connecting may take, from 10 ms to 10 s; 500 ms by default.
    ///   - commandTimeout: The longest that an answer may take, likewise.
    /// - Throws: `ConfigurationError` with what is wrong, and never with the password.
    public init(
        _ url: String, prefix: String = "spillway:", connectTimeout: Duration = .milliseconds(500),
        commandTimeout: Duration = .milliseconds(500)
    ) throws(ConfigurationError) {
        address = try ValkeyAddress(url)
        let check = Validation("ValkeyLeaseStore")
        try check.require((1...100).contains(prefix.utf8.count), "prefix", "'\(prefix)'", "1 to 100 bytes long")
        try check.require(
            !prefix.contains("{") && !prefix.contains("}"), "prefix", "'\(prefix)'",
            "without braces, which mark the hash tag")
        for (value, field) in [(connectTimeout, "connectTimeout"), (commandTimeout, "commandTimeout")] {
            try check.require(
                value >= .milliseconds(10) && value <= .seconds(10), field, value, "from 10 ms to 10 s")
        }
        self.prefix = prefix
        self.connectTimeout = connectTimeout
        self.commandTimeout = commandTimeout
    }

    /// Takes note of what a holder says, and gives it what it may have.
    ///
    /// - Throws: `LeaseStoreError`, which says where the server is and what it said.
    public func exchange(_ request: LeaseRequest) async throws(LeaseStoreError) -> LeaseReply {
        try await exchange(request, as: nil)
    }

    /// The same by another clock than the server's.
    package func exchange(
        _ request: LeaseRequest, as clock: (now: Int64, era: String, up: Int64)?
    ) async throws(LeaseStoreError) -> LeaseReply {
        try await perform { [prefix] connection throws(LeaseStoreError) in
            let tag = "\(prefix){\(request.key)}"
            let moment = clock.map { ["\($0.now)", $0.era, "\($0.up)"] } ?? ["", "", ""]
            let texts: [String]
            switch request.limit {
            case .rate(let rate, let burst):
                texts = try connection.run(
                    Scripts.rate, keys: ["\(tag):rate", "\(tag):holder:\(request.holder)"],
                    [
                        "\(request.number)", request.era, "\(request.life.microseconds)", "\(request.want)",
                        "\(request.need)", "\(request.returned)", "\(request.unleased)",
                        "\(rate.units / Double(rate.span.microseconds))", "\(burst)",
                    ] + moment)
            case .amount(let amount, let span):
                texts = try connection.run(
                    Scripts.amount, keys: ["\(tag):window", "\(tag):holders", "\(tag):leases"],
                    [
                        "\(request.number)", "\(request.holder)", "\(request.life.microseconds)", "\(request.want)",
                        "\(request.need)", "\(request.window)", "\(request.spent)", "\(request.held)", "\(amount)",
                        "\(span.microseconds)",
                    ] + moment)
            }
            return try Self.reply(texts, to: request)
        }
    }

    package static func reply(_ texts: [String], to request: LeaseRequest) throws(LeaseStoreError) -> LeaseReply {
        let numbers = texts.map { Int64($0) }
        if texts.count == 9, let granted = numbers[0], let left = numbers[1], let wait = numbers[2],
            let window = numbers[4], let ends = numbers[5]
        {
            let reply = LeaseReply(
                granted: granted, left: left, unspent: numbers[8] ?? .max, wait: .microseconds(wait), era: texts[3],
                window: window, windowEndsIn: .microseconds(ends), isLapsed: texts[6] == "1",
                isStale: texts[7] == "1")
            if reply.answers(request) { return reply }
        }
        throw LeaseStoreError(.malformed, "the script answered \(texts)")
    }

    /// Ends the connection; what is asked afterwards fails as `LeaseStoreError.Kind.closed`.
    public func close() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.state.withLock { state in
                    state.isClosed = true
                    state.connection = nil
                }
                continuation.resume()
            }
        }
    }

    /// Runs `body` with the connection on the thread that may block.
    func perform<Success: Sendable>(
        _ body: @escaping @Sendable (ValkeyConnection) throws(LeaseStoreError) -> Success
    ) async throws(LeaseStoreError) -> Success {
        let result = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.attempt(body)) }
        }
        return try result.get()
    }

    private func attempt<Success: Sendable>(
        _ body: (ValkeyConnection) throws(LeaseStoreError) -> Success
    ) -> Result<Success, LeaseStoreError> {
        // The lock is for the compiler: nobody else is on the queue.
        state.withLock { state in
            do throws(LeaseStoreError) {
                let connection = try connect(&state)
                let answer = try body(connection)
                state.failures = 0
                return .success(answer)
            } catch {
                // An answer may still be on its way to one that timed out: it must not be taken for another's.
                if error.kind == .timedOut || error.kind == .unreachable, state.connection != nil {
                    lost(&state, error)
                }
                return .failure(error)
            }
        }
    }

    private func connect(_ state: inout State) throws(LeaseStoreError) -> ValkeyConnection {
        if state.isClosed { throw LeaseStoreError(.closed, "\(address.place): the store was closed") }
        if let connection = state.connection { return connection }
        if let failure = state.failure, SystemTime().now < state.retryAt { throw failure }
        do throws(LeaseStoreError) {
            let connection = try ValkeyConnection(
                address, connectTimeout: connectTimeout, commandTimeout: commandTimeout)
            state.connection = connection
            return connection
        } catch {
            lost(&state, error)
            throw error
        }
    }

    /// Connects no more for a while, which is another in each process.
    private func lost(_ state: inout State, _ error: LeaseStoreError) {
        state.connection = nil
        state.failure = error
        var pause = Self.firstRetry
        for _ in 0..<min(state.failures, 10) where pause < Self.longestRetry { pause *= 2 }
        state.failures += 1
        let most = UInt64(min(pause, Self.longestRetry).clampedNanoseconds)
        let spread = Int64(most / 2 + RandomSource.system.next(through: most / 2))
        state.retryAt = SystemTime().now.advanced(by: .nanoseconds(spread))
    }
}
#endif
