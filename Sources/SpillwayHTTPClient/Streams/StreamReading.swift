#if HTTPClientSupport
internal import NIOCore
internal import Spillway

/// One attempt's reading of a stream.
struct StreamReading: Sendable {
    typealias Sink = @Sendable ([ChatPiece]) async throws -> Void

    private(set) var decoder: ChatStreamDecoder
    /// Whether this attempt has begun to pass something on; whether that arrived is another question.
    private(set) var passedOn = false
    /// Whether the sink has taken the whole answer, up to its finish reason at least.
    private(set) var isWhole = false
    /// Whether the sink has taken the end mark.
    private(set) var hasEnd = false
    /// Whether the sink has thrown: nobody knows what it took then, so that no attempt can go on from there.
    private(set) var isRefused = false
    let resumption: Resumption
    private var resuming: Resumption
    private var clocks: StreamClocks
    private let attempt: Attempt
    private let journal: StreamJournal
    private let commit: CommitPoint
    private let sink: Sink
    /// Told to gates the last time.
    private var toldTokens = 0
    private var held: [ChatPiece] = []
    private var heldBytes = 0

    /// The most bytes that wait for the commit point.
    static let limit = 16 << 20

    init(
        _ attempt: Attempt, _ journal: StreamJournal, _ commit: CommitPoint, _ clocks: StreamClocks,
        _ resumption: Resumption, _ sink: @escaping Sink
    ) {
        self.attempt = attempt
        self.journal = journal
        self.commit = commit
        self.clocks = clocks
        self.resumption = resumption
        self.sink = sink
        resuming = resumption
        decoder = ChatStreamDecoder(choices: journal.choices)
    }

    /// Reads a body to its end and passes on what it says.
    mutating func read<Body: AsyncSequence>(
        _ body: Body
    ) async throws(UpstreamError) where Body.Element == ByteBuffer {
        var buffers = body.makeAsyncIterator()
        do {
            while decoder.phase < .finished, decoder.failure == nil {
                guard let buffer = try await buffers.next(isolation: #isolation) else {
                    decoder.end()
                    break
                }
                try await take(buffer)
            }
            if let failure = decoder.failure { throw failure }
            let clocks = clocks
            try await clocks.pausing { try await readTail(&buffers) }
        } catch {
            throw .from(transport: error)
        }
    }

    /// Reads what may follow a whole answer: usage, the end mark, and the end of the body, so that the connection can be
    /// used again.
    private mutating func readTail<Buffers: AsyncIteratorProtocol>(
        _ buffers: inout Buffers
    ) async throws where Buffers.Element == ByteBuffer {
        clocks.finish()
        if decoder.phase == .done { clocks.end() }
        while let buffer = try await buffers.next(isolation: #isolation) {
            guard decoder.phase < .done else { continue }
            try await take(buffer)
            if decoder.phase == .done { clocks.end() }
        }
    }

    /// Passes on what a whole answer still lacks: its end mark, where the upstream sent none, and what was left behind when
    /// the wait for more was given up.
    mutating func finish() async throws(UpstreamError) {
        guard isWhole, !hasEnd, !isRefused else { return }
        clocks.close()
        if held.last?.kind != .end { held.append(.end) }
        try await pass()
    }

    private mutating func take(_ buffer: ByteBuffer) async throws(UpstreamError) {
        for piece in decoder.feed(buffer.readableBytesView) {
            if piece.kind == .content { clocks.received(tokens: piece.tokens) }
            do throws(Resumption.Differs) {
                guard let news = try resuming.take(piece) else { continue }
                held.append(news)
                heldBytes += news.data.utf8.count
            } catch {
                throw journal.lost("another attempt began a different answer")
            }
        }
        // Before anything was passed on the caller can still be told with a status, and after it keeps what was paid for.
        if !passedOn { try tell() }
        if passedOn || resumption.goesOn || decoder.isReached(commit) { try await pass() }
        try tell()
        guard heldBytes <= Self.limit else {
            throw UpstreamError("more than \(Self.limit) bytes came before the commit point", .neutral(.unacceptable))
        }
    }

    /// Tells gates what the answer took so far, unless that is about what they know.
    private mutating func tell() throws(UpstreamError) {
        guard decoder.phase == .content, decoder.failure == nil,
            decoder.tokens >= toldTokens + min(16, max(1, toldTokens / 10)),
            let usage = decoder.usage(promptTokens: journal.promptTokens)
        else { return }
        toldTokens = decoder.tokens
        guard !attempt.used(usage) else { return }
        throw UpstreamError("nothing is left to pay for more of the answer", .neutral(.spendLimit))
    }

    private mutating func pass() async throws(UpstreamError) {
        guard !held.isEmpty else { return }
        let pieces = held
        let mayResume = journal.recovery != .fail
        if !passedOn, !clocks.commit(resumable: mayResume) {
            throw UpstreamError("another attempt was first, or a limit was met", .neutral(.cancelled))
        }
        passedOn = true
        // A tool call, for example, makes an end of that.
        if !journal.pass(pieces, decoder), mayResume { _ = clocks.commit(resumable: false) }
        let isTaken: Bool
        do {
            let (clocks, sink) = (clocks, sink)
            isTaken = try await clocks.pausing { () async throws -> Bool in
                // The task is cancelled then, and the sink would take that for an end of the call.
                guard !clocks.isTailOver else { return false }
                try await sink(pieces)
                return true
            }
        } catch {
            isRefused = true
            throw UpstreamError("nobody takes the answer any more", .neutral(.cancelled), underlying: error)
        }
        guard isTaken else { throw .from(transport: CancellationError()) }
        // Only now: what a sink has not taken has not arrived.
        (held, heldBytes) = ([], 0)
        hasEnd = pieces.last?.kind == .end
        isWhole = decoder.phase >= .finished
        if hasEnd { journal.complete() }
    }
}
#endif
