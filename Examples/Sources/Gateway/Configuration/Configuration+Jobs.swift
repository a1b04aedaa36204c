import Foundation
import Spillway
import SpillwaySQLite

extension Configuration {
    /// How work for later is kept, and when it is done.
    struct Jobs: Sendable {
        /// Where jobs are kept; nil: in memory alone.
        var file: String?
        /// Whether a job that was accepted also survives a power loss.
        var synchronous = SQLiteLedgerStore.Synchronous.full
        /// How many are done at once.
        var workers = 4
        /// Up to what load of the lines of all routes another is begun.
        var loadBelow = 0.5
        /// How long a job is a worker's without a sign of life.
        var lease: Duration = .seconds(60)
        /// How long a job may wait.
        var expires: Duration = .seconds(86_400)
        /// How long a job is kept after its end.
        var keeps: Duration = .seconds(86_400)
        /// How often it is tried.
        var attempts = 5
        /// How long one try may take.
        var longestRun: Duration = .seconds(3_600)
        /// How many may wait or run.
        var most = 10_000

        /// How the queue keeps and tries them, for requests of at most so many bytes.
        func queue(mostBody: Int) -> JobQueue.Configuration {
            var queue = JobQueue.Configuration(
                lease: lease, expires: expires, attempts: attempts, keeps: keeps, mostOpen: most)
            queue.longestRun = longestRun
            // In Base64, with what else is to be known of the call.
            queue.mostPayload = min(mostBody / 3 * 4 + 16_384, 256 << 20)
            queue.mostResult = UpstreamCall.answerLimit + 16_384
            return queue
        }
    }
}

extension Configuration.Jobs {
    /// Reads the field `jobs`; a relative path starts where `configuration` lies.
    init(_ field: Field, beside configuration: String) throws {
        let fields = try field.fields(
            "file", "synchronous", "workers", "loadBelow", "leaseSeconds", "expireSeconds", "keepSeconds", "attempts",
            "longestRunSeconds", "most")
        self.init()
        file = try fields["file"].map {
            URL(fileURLWithPath: try $0.text(), relativeTo: URL(fileURLWithPath: configuration)).path
        }
        if file == nil, let field = fields["synchronous"] { throw field.fault("is for jobs with a 'file'") }
        synchronous = try fields["synchronous"]?.choice(["full": .full, "normal": .normal]) ?? synchronous
        workers = try fields.count("workers", in: 1...1_000) ?? workers
        loadBelow = try fields.number("loadBelow", in: 0.001...1_000) ?? loadBelow
        lease = try fields.seconds("leaseSeconds", atLeast: 0.01) ?? lease
        let days = 0.001...31_536_000.0
        expires = try fields.number("expireSeconds", in: days).map { .seconds($0) } ?? expires
        keeps = try fields.number("keepSeconds", in: days).map { .seconds($0) } ?? keeps
        attempts = try fields.count("attempts", in: 1...1_000) ?? attempts
        longestRun = try fields.seconds("longestRunSeconds") ?? longestRun
        most = try fields.count("most", in: 1...1_000_000) ?? most
        let made = self
        try field.blame { () throws(ConfigurationError) in
            _ = try JobQueue("check", made.queue(mostBody: 0), store: MemoryJobStore())
        }
    }
}
