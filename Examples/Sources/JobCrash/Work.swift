import ModelRouting
import SpillwayCore
import SpillwaySQLite

/// What the processes of all rounds do.
enum Work {
    /// Leases are so short that the jobs of a process that died, or was stopped, are taken by others soon.
    static var configuration: JobQueue.Configuration {
        var configuration = JobQueue.Configuration(
            lease: .milliseconds(300), expires: .seconds(600), attempts: 1_000, mostOpen: 400)
        configuration.mostEnded = 1_000_000
        configuration.firstPause = .milliseconds(5)
        configuration.longestPause = .milliseconds(50)
        configuration.interval = .milliseconds(20)
        return configuration
    }

    static func open(_ folder: String, isFull: Bool) async throws -> JobQueue {
        let store = try await SQLiteJobStore(jobs(folder), synchronous: isFull ? .full : .normal)
        return try JobQueue("crash", configuration, store: store)
    }

    static func jobs(_ folder: String) -> String { folder + "/jobs.sqlite" }
    static func provider(_ folder: String) -> String { folder + "/provider.sqlite" }

    /// What becomes of a job, as its key says.
    enum Fate: Equatable {
        case succeeds
        /// The first run fails, and may be tried again.
        case stumbles
        /// Every run fails, for a reason that does not go away.
        case isHopeless
        /// Whoever submitted it does not want it after all.
        case isCancelled
        /// It does not wait for long.
        case isHasty

        init(_ key: String) {
            switch Work.number(of: key) % 20 {
            case 0: self = .isHopeless
            case 1, 2: self = .isCancelled
            case 3: self = .isHasty
            case 4, 5, 6: self = .stumbles
            default: self = .succeeds
            }
        }
    }

    /// The key and as many bytes as it says.
    static func payload(_ key: String) -> [UInt8] {
        let random = RandomSource.seeded(number(of: key))
        return Array(key.utf8) + [0] + (0..<random.next() % 3_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// The key that a payload was made from; nil: it is not as it was.
    static func key(_ payload: [UInt8]) -> String? {
        let key = String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self)
        return Self.payload(key) == payload ? key : nil
    }

    /// A number that depends on `text` alone.
    static func number(of text: String) -> UInt64 {
        text.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 } >> 16
    }
}

/// What a process has tried, and been told, one line each.
enum Receipt: Hashable {
    /// It submits a job.
    case tried(String)
    /// The job of this key is stored, under this name.
    case accepted(String, String)
    /// The job of this name was cancelled.
    case cancelled(String)
    /// The job of this name was done, with this result.
    case done(String, String)
    /// The queue was full.
    case refused

    var line: String {
        switch self {
        case .tried(let key): "T \(key)\n"
        case .accepted(let key, let id): "A \(key) \(id)\n"
        case .cancelled(let id): "C \(id)\n"
        case .done(let id, let result): "D \(id) \(result)\n"
        case .refused: "R\n"
        }
    }

    init?(_ line: Substring) {
        let words = line.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("T", 2): self = .tried(words[1])
        case ("A", 3): self = .accepted(words[1], words[2])
        case ("C", 2): self = .cancelled(words[1])
        case ("D", 3): self = .done(words[1], words[2])
        case ("R", 1): self = .refused
        default: return nil
        }
    }
}
