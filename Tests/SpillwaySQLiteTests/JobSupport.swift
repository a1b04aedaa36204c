#if SQLiteSupport
import ModelRouting
import SpillwayCore
import SpillwaySQLite
import Testing

extension Folder {
    /// Where the jobs of the test are.
    var jobs: String { path + "/jobs.sqlite" }
}

/// What kinds of stores there are, each to do the same.
enum StoreKind: CaseIterable, CustomTestStringConvertible {
    case memory
    case sqlite

    var testDescription: String { self == .memory ? "memory" : "SQLite" }

    func make(in folder: Folder) async throws -> any JobStore {
        switch self {
        case .memory: MemoryJobStore(isShared: true)
        case .sqlite: try await SQLiteJobStore(folder.jobs, synchronous: .normal)
        }
    }
}

let second: Int64 = 1_000_000_000
let plenty = JobBounds(open: 1_000, ended: 1_000)

/// A job whose name says its number, with everything but what is given left at something plain.
func newJob(
    _ number: UInt64, queue: String = "q", tenant: String = "", key: String? = nil, fingerprint: UInt64 = 7,
    _ criticality: Criticality = .critical, at now: Int64 = noon, expires: Int64 = 3_600 * second,
    keeps: Int64 = 60 * second, mostRuns: Int = 3
) -> JobRecord {
    var generator = Numbers(number)
    return JobRecord(
        id: JobID(using: &generator), queue: queue, tenant: tenant, key: key, fingerprint: SIMD2(fingerprint, 1),
        criticality: criticality, submitted: now, expires: now + expires, keeps: keeps, mostRuns: mostRuns)
}

private struct Numbers: RandomNumberGenerator {
    var number: UInt64
    init(_ number: UInt64) { self.number = number }
    func next() -> UInt64 { number }
}

extension JobStore {
    func add(_ record: JobRecord, _ payload: [UInt8] = [1, 2, 3], _ bounds: JobBounds = plenty) async throws {
        let insertion = try await insert(record, payload: payload, bounds: bounds, at: record.submitted)
        guard case .inserted = insertion else { throw StoreError(.other, "\(insertion)") }
    }

    func next(_ queue: String = "q", lease: Int64 = 10 * second, at now: Int64 = noon) async throws -> StoredJob? {
        try await take(from: queue, lease: lease, bounds: plenty, at: now).job
    }

    func phase(_ record: JobRecord) async throws -> JobRecord.Phase? { try await find(record.id)?.record.phase }
}

/// What `body` fails with; nil: it does not.
func jobFailure(_ body: () async throws -> Void) async throws -> StoreError? {
    do {
        try await body()
        return nil
    } catch let error as StoreError {
        return error
    }
}
#endif
