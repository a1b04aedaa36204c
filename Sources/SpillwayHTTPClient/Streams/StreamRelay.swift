#if HTTPClientSupport
public import NIOCore
public import Spillway

/// Passes a streamed answer on, attempt by attempt, from its commit point to its end.
///
/// For the operation of a policy, which lasts as long as the stream:
///
/// ```swift
/// let relay = StreamRelay(StreamJournal(.restart), commit: .tokens(20))
/// try await policy.run(call) { attempt in
///     try await relay.run(attempt) { prefill in try await ask(prefill).body } to: { pieces in try await send(pieces) }
/// }
/// ```
///
/// Nothing of an attempt is passed on before its commit point, so that a failure until then goes unnoticed. What becomes of
/// a later one, the journal's ``StreamJournal/recovery`` says. A stream that ends without a finish reason or an end mark is
/// never taken for whole; one that has either is whole, whatever becomes of the connection.
///
/// Gates that count tokens or money hear of what is used while the answer comes, at every tenth or every 16 tokens more, and at
/// the end what the provider says. When nothing is left to pay for more, the attempt ends with the cause `spendLimit`, and so
/// does the call.
public struct StreamRelay: Sendable {
    /// What was passed on, over all attempts.
    public let journal: StreamJournal
    /// How much must have come before anything is passed on.
    public let commit: CommitPoint
    /// How long each attempt may take; nil: as long as the policy lets it.
    public let limits: AttemptTimeout?
    private let time: any TimeSource

    /// A relay for one call.
    ///
    /// - Parameters:
    ///   - journal: The call's own.
    ///   - commit: How much must have come before anything is passed on; the first token by default.
    ///   - limits: How long each attempt may take, beside the limits of the policy; none by default.
    ///   - time: Where the time of limits comes from; the machine by default.
    public init(
        _ journal: StreamJournal, commit: CommitPoint = .firstToken, limits: AttemptTimeout? = nil,
        time: any TimeSource = .system
    ) {
        self.journal = journal
        self.commit = commit
        self.limits = limits
        self.time = time
    }

    /// Makes one attempt.
    ///
    /// - Parameters:
    ///   - attempt: As the policy gave it.
    ///   - visit: Its stay at a replica of a fleet, which is told of the first content and of the end; by default there is none.
    ///   - ask: Sends the request and returns the body of the answer. With a prefill the request must ask for the rest of
    ///     the answer; see ``Prefill/body(_:)``.
    ///   - sink: Takes what is passed on, in order, and returns when it can take more; the upstream is read no faster. The
    ///     last piece is always an end mark, also where the upstream sent none. What it throws ends the attempt, also with
    ///     that end mark.
    /// - Throws: What went wrong; with the cause `truncated` when no other attempt can mend it, and `cancelled` when the
    ///   sink threw.
    public func run<Body: AsyncSequence & SendableMetatype>(
        _ attempt: Attempt, at visit: FleetVisit? = nil, ask: @escaping @Sendable (Prefill?) async throws -> Body,
        to sink: @escaping @Sendable ([ChatPiece]) async throws -> Void
    ) async throws(UpstreamError) where Body.Element == ByteBuffer {
        let clocks = StreamClocks(attempt, limits, time, at: visit)
        clocks.followHandOver()
        let start = StreamReading(attempt, journal, commit, clocks, try journal.begin(), sink)
        var (reading, failure) = await clocks.run { () async -> (StreamReading, UpstreamError?) in
            var reading = start
            do {
                try await reading.read(try await ask(reading.resumption.prefill))
                return (reading, nil)
            } catch {
                return (reading, .from(transport: error))
            }
        }
        do { try await reading.finish() } catch { failure = error }
        let usage = journal.settle(
            reading.decoder, target: attempt.target, passedOn: reading.passedOn, failure: failure)
        if let usage { attempt.used(usage) } else if let failure { attempt.failed(with: failure) }
        if reading.hasEnd {
            visit?.settle(.success, usage: usage, at: time.now)
            return
        }
        let limit = clocks.exceeded
        let cause = limit.map { .met($0) } ?? failure ?? .malformed("the stream made no sense")
        visit?.fail(cause.outcome, limit, streams: true, usage: usage, at: time.now)
        let error = journal.fail(cause, reading.resumption, passedOn: reading.passedOn)
        throw reading.isRefused ? error.afterCommit : error
    }
}
#endif
