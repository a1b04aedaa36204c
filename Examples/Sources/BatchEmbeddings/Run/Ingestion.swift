import Spillway
import SpillwayHTTPClient

/// Takes batch after batch through the endpoint into the journal.
struct Ingestion: Sendable {
    let line: BatchLine
    let calls: EmbeddingCalls
    let journal: Journal
    let tally: Tally
    /// How many batches are out at most; how many of them are in flight, the policy decides.
    let workers: Int
    let patience: Duration
    var time: any TimeSource = .system

    private static let probe = "hello"

    /// Embeds all that is in the line; returns why it ended before, or nil when all is done.
    ///
    /// When its task is cancelled it ends at once; what was under way then is lost. To keep that, stop the line first.
    func run() async -> Ending? {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<workers { group.addTask { await work() } }
        }
        return await line.ending
    }

    /// Hands nothing more out, waits until nothing is in flight any more, though not for long, and returns.
    func drain(atMost grace: Duration) async {
        await line.stop(.interrupted)
        let end = time.now.advanced(by: grace)
        while calls.limit.inFlight > 0, time.now < end { try? await time.sleep(for: .milliseconds(20)) }
    }

    private func work() async {
        while let batch = await line.next() {
            do throws(PolicyError<UpstreamError>) {
                let (vectors, tokens) = try await calls.embed(batch.map(\.text))
                await keep(batch, vectors, tokens: tokens)
            } catch {
                await react(to: Setback(error), batch)
            }
        }
    }

    /// What the provider counted for a batch, shared out by what was estimated; the shares add up.
    static func shares(of tokens: Int, among estimates: [Int]) -> [Int] {
        let whole = max(1, estimates.reduce(0, +))
        var before = 0, given = 0
        return estimates.map { estimate in
            before += estimate
            let upTo = tokens.multipliedFullWidth(by: before)
            let share = whole.dividingFullWidth(upTo).quotient - given
            given += share
            return share
        }
    }

    private func keep(_ batch: BatchLine.Batch, _ vectors: [[Float]], tokens: Int) async {
        let shares = Self.shares(of: tokens, among: batch.map(\.tokens))
        let records = zip(batch, zip(vectors, shares)).map { passage, result in
            JournalRecord(key: passage.key, tokens: result.1, result: .vector(result.0))
        }
        guard await store(records) else { return }
        tally.embedded(batch, tokens: tokens, at: time.now)
        await line.done()
    }

    /// Whether the records are on the disk; if not, the run ends.
    private func store(_ records: [JournalRecord]) async -> Bool {
        do {
            try await journal.append(records)
            return true
        } catch {
            await line.stop(.failed("\(error)"))
            await line.done()
            return false
        }
    }

    private func react(to setback: Setback, _ batch: BatchLine.Batch) async {
        switch setback {
        case .stop(let ending):
            await line.stop(ending)
            await line.giveBack(batch)
        case .later(let reason, let hint): await wait(reason, hint, batch)
        case .refused(let reason):
            // Before a text is blamed: does the endpoint take any?
            guard tally.hasSucceeded else { return await prove(reason, batch) }
            await blame(reason, batch)
        }
    }

    /// Looks for the text that is refused, by halves, and notes it when it stands alone.
    private func blame(_ reason: String, _ batch: BatchLine.Batch) async {
        guard let passage = batch.first, batch.count == 1 else {
            let middle = batch.count / 2
            return await line.giveBack(Array(batch[..<middle]), Array(batch[middle...]))
        }
        guard await store([JournalRecord(key: passage.key, tokens: 0, result: .failure(reason))]) else { return }
        tally.failed(passage, at: time.now)
        await line.done()
    }

    /// Asks for a harmless text; if that is refused, too, it is not the texts.
    private func prove(_ reason: String, _ batch: BatchLine.Batch) async {
        do throws(PolicyError<UpstreamError>) {
            _ = try await calls.embed([Self.probe])
            await blame(reason, batch)
        } catch {
            switch Setback(error) {
            case .refused(let reason):
                await line.stop(.failed("the endpoint refuses every text: \(reason)"))
                await line.giveBack(batch)
            case .later(let reason, let hint): await wait(reason, hint, batch)
            case .stop(let ending):
                await line.stop(ending)
                await line.giveBack(batch)
            }
        }
    }

    /// Gives a batch back and stays away for a while, the longer the more has failed; ends the run when patience does.
    private func wait(_ reason: String, _ hint: Duration?, _ batch: BatchLine.Batch) async {
        let (count, since) = tally.setBack(at: time.now)
        await line.giveBack(batch)
        guard since < patience else { return await line.stop(.silence(reason)) }
        // All workers meet the same outage: that counts once.
        let pause = max(hint ?? .zero, Self.backoff.delay(beforeRetry: 1 + (count - 1) / workers))
        // Cancelled, the line has been stopped.
        try? await time.sleep(for: min(pause, patience - since))
    }

    /// Equal jitter: at least half of it is kept.
    private static let backoff = try! Backoff.exponential(from: .milliseconds(500), cap: .seconds(30), jitter: .equal)
}
