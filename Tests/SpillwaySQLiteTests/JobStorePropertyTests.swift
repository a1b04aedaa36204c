#if SQLiteSupport
import ModelRouting
import SpillwayCore
import SpillwaySQLite
import Testing

/// The file beside the plainest store there is, and beside itself.
@Suite(.timeLimit(.minutes(2))) struct JobStorePropertyTests {
    @Test(arguments: 1...60)
    func `whatever is asked, a file answers as a list in memory does`(seed: UInt64) async throws {
        let folder = try Folder(), random = RandomSource.seeded(seed), model = MemoryJobStore()
        func below(_ limit: UInt64) -> Int64 { Int64(random.next() % limit) }
        // Two processes, as it were.
        var files = [
            try await SQLiteJobStore(folder.jobs, synchronous: .normal),
            try await SQLiteJobStore(folder.jobs, synchronous: .normal),
        ]
        let bounds = JobBounds(open: Int(below(30)) + 3, ended: Int(below(20)) + 1)
        var now = noon, jobs: [JobRecord] = [], ends: [JobID: JobRecord.Phase] = [:], results: [JobID: [UInt8]] = [:]
        for step in 0..<400 {
            // Now and then much time passes.
            now += below(20) == 0 ? below(300) * second : below(2 * UInt64(second))
            let file = files[Int(below(2))], queue = "q\(below(2))"
            let job = jobs.isEmpty ? newJob(0) : jobs[Int(below(UInt64(jobs.count)))]
            let label = "seed \(seed), step \(step)"
            switch below(12) {
            case 0...3:
                let made = newJob(
                    UInt64(step), queue: queue, tenant: "t\(below(3))", key: below(2) == 0 ? nil : "k\(below(5))",
                    Criticality(rawValue: UInt8(below(4)))!, at: now, expires: (below(200) + 1) * second,
                    keeps: (below(100) + 1) * second, mostRuns: Int(below(3)) + 1)
                let payload = (0..<below(50)).map { UInt8($0) }
                let answer = try await file.insert(made, payload: payload, bounds: bounds, at: now)
                #expect(
                    try await model.insert(made, payload: payload, bounds: bounds, at: now) == answer, "\(label)")
                if case .inserted = answer { jobs.append(made) }
            case 4...6:
                let lease = (below(40) + 1) * second
                let answer = try await file.take(from: queue, lease: lease, bounds: bounds, at: now)
                #expect(
                    try await model.take(from: queue, lease: lease, bounds: bounds, at: now) == answer, "\(label)")
                if let taken = answer.job {
                    #expect(ends[taken.record.id] == nil, "\(label): taken after its end")
                    #expect(taken.record.runs <= taken.record.mostRuns, "\(label)")
                }
            case 7...9:
                // Mostly the token of the one who has it, else an old one or none.
                let current = try await model.find(job.id)?.record.token ?? 0, token = current - (below(4) == 0 ? 1 : 0)
                let change: JobChange =
                    switch below(7) {
                    case 0: .cancel
                    case 1: .giveBack(token: token)
                    case 2: .fail(token: token, failure: JobFailure(.invalidRequest, "no"))
                    case 3, 4:
                        .retry(
                            token: token, after: below(30) * second, failure: JobFailure(.timeout, "slow"),
                            counts: below(2) == 0)
                    case 5: .renew(token: token, lease: (below(40) + 1) * second, progress: Double(below(5)) / 4)
                    default: .finish(token: token, result: [UInt8(truncatingIfNeeded: step)])
                    }
                let answer = try await file.change(job.id, change, at: now)
                #expect(try await model.change(job.id, change, at: now) == answer, "\(label): \(change)")
                if answer?.isApplied == true, case .finish(_, let result) = change {
                    #expect(results.updateValue(result, forKey: job.id) == nil, "\(label): a second result")
                }
            case 10:
                let answer = try await file.tidy(queue, bounds: bounds, at: now)
                #expect(try await model.tidy(queue, bounds: bounds, at: now) == answer, "\(label)")
            default:
                // A process that begins anew.
                if below(10) == 0 {
                    let place = Int(below(2))
                    try await files[place].close()
                    files[place] = try await SQLiteJobStore(folder.jobs, synchronous: .normal)
                }
            }
            let found = try await files[0].find(job.id)
            #expect(try await model.find(job.id) == found, "\(label)")
            guard let found else { continue }
            if let end = ends[job.id] { #expect(found.record.phase == end, "\(label): an end that changed") }
            if found.record.phase.isEnded { ends[job.id] = found.record.phase }
            if found.record.phase == .done { #expect(found.result == results[job.id], "\(label)") }
        }
        #expect(jobs.count > 20)
    }

    @Test func `many who ask at once get each job once`() async throws {
        let folder = try Folder(), path = folder.jobs, count = 200
        // Opened at once, too: one of them makes the file.
        let stores = try await withThrowingTaskGroup(of: SQLiteJobStore.self) { group in
            for _ in 0..<6 { group.addTask { try await SQLiteJobStore(path, synchronous: .normal) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let taken = try await withThrowingTaskGroup(of: [JobID].self) { group in
            for (place, store) in stores.enumerated() {
                group.addTask {
                    for number in 0..<count where number % stores.count == place {
                        try await store.add(newJob(UInt64(number)))
                    }
                    var mine: [JobID] = [], misses = 0
                    while misses < 50 {
                        if let job = try await store.next(lease: minute) {
                            mine.append(job.record.id)
                            let done = JobChange.finish(token: job.record.token, result: [])
                            #expect(try await store.change(job.record.id, done, at: noon)?.isApplied == true)
                        } else {
                            misses += 1
                        }
                    }
                    return mine
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(taken.count == count)
        #expect(Set(taken).count == count)
        #expect(try await stores[0].tidy("q", bounds: plenty, at: noon).ended == count)
    }
}
#endif
