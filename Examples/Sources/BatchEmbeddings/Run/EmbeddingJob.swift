import AsyncHTTPClient
import Foundation
import Spillway
import SpillwayHTTPClient

/// A run: from a folder of texts to a folder of results.
struct EmbeddingJob: Sendable {
    var folder: TextFolder
    var cutter: PassageCutter
    var calls: CallSettings
    var batchPassages: Int
    var batchTokens: Int
    /// Where the journal and the results are.
    var output: URL
    /// Whether passages that were refused before are asked for again.
    var retriesFailed = false
    /// How long answers under way are waited for when the run is interrupted.
    var grace = Duration.seconds(10)

    static let journal = "journal"

    /// Runs to the end, or to the first cancellation of its task, and reports.
    ///
    /// - Parameters:
    ///   - http: Sends the requests.
    ///   - note: Is told of what was skipped and mended.
    ///   - show: Shows how the run stands, until its task is cancelled.
    func run(
        http: HTTPClient, note: @Sendable (String) -> Void = { _ in },
        show: @escaping @Sendable (ProgressSource) async -> Void = { _ in }
    ) async throws -> RunReport {
        do { try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true) } catch {
            throw InputError("\(output.path) cannot be made: \(error.localizedDescription)")
        }
        let journal = try Journal(output.appendingPathComponent(Self.journal).path)
        defer { journal.close() }
        if journal.findings.cut > 0 { note("journal: cut \(journal.findings.cut) bytes of a torn end off") }
        if journal.findings.broken > 0 { note("journal: \(journal.findings.broken) broken lines, embedded again") }
        let corpus = Corpus(folder, cutter, model: calls.model, dimensions: calls.dimensions) { key in
            journal[key].map { !($0.isFailure && retriesFailed) } ?? false
        }
        corpus.notes.forEach(note)
        guard !corpus.files.isEmpty else { throw InputError("\(folder.root.path) has no texts") }

        let before = calls.cost(ofTokens: journal.totals.tokens) ?? .zero
        let client = try EmbeddingCalls(calls, http: http, spent: before)
        let tally = Tally(
            .init(
                passages: corpus.count, known: corpus.count - corpus.pending.count,
                tokensToDo: corpus.pending.reduce(0) { $0 + $1.tokens }),
            at: SystemTime().now)
        let line = BatchLine(corpus.pending, mostPassages: batchPassages, mostTokens: batchTokens)
        let ingestion = Ingestion(
            line: line, calls: client, journal: journal, tally: tally, workers: calls.concurrency,
            patience: calls.patience)
        let source = ProgressSource(tally: tally, calls: client)
        let showing = Task { await show(source) }
        var ending = await embed(ingestion)
        showing.cancel()
        await showing.value

        let counts = tally.counts
        // Also when it was interrupted just then.
        if counts.known + counts.embedded + counts.failed == counts.passages { ending = nil }
        let files = ResultFiles(folder: output)
        if ending == nil { _ = try files.write(corpus, journal) }
        let spent = client.spent()
        return RunReport(
            counts: counts, calls: client.counts.counts, files: corpus.files.count, skipped: corpus.notes.count,
            seconds: tally.began.duration(to: SystemTime().now) / .seconds(1), spent: spent,
            spentInAll: spent.map { $0 + before },
            result: ending == nil ? output.appendingPathComponent(ResultFiles.vectors).path : nil, ending: ending)
    }

    /// Embeds; when the task is cancelled, what is in flight is waited for, and kept.
    private func embed(_ ingestion: Ingestion) async -> Ending? {
        let work = Task { await ingestion.run() }
        let (cancelled, cancel) = AsyncStream.makeStream(of: Void.self)
        let drain = Task {
            for await _ in cancelled {
                await ingestion.drain(atMost: grace)
                work.cancel()
            }
        }
        let ending = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            cancel.yield()
        }
        cancel.finish()
        drain.cancel()
        return ending
    }
}
