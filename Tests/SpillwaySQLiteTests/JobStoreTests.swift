#if SQLiteSupport
import ModelRouting
import SpillwayCore
import SpillwaySQLite
import Testing

/// What every store of jobs does.
@Suite(.timeLimit(.minutes(2))) struct JobStoreTests {
    let folder: Folder
    init() throws { folder = try Folder() }

    @Test(arguments: StoreKind.allCases)
    func `a job goes from hand to hand, and its result stays`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder)
        let job = newJob(1, tenant: "acme", key: "k", .sheddable)
        let inserted = try await store.insert(job, payload: [], bounds: plenty, at: noon)
        #expect(inserted == .inserted(ahead: 0))
        #expect(try await store.find(job.id) == StoredJob(job))
        let handout = try await store.take(from: "q", lease: 10 * second, bounds: plenty, at: noon)
        var taken = job
        taken.take(lease: 10 * second, at: noon)
        #expect(handout == JobHandout(job: StoredJob(taken, payload: []), due: noon + 10 * second))
        #expect(try await store.next() == nil)
        let renewed = try await store.change(
            job.id, .renew(token: 1, lease: 10 * second, progress: 0.25), at: noon + second)
        #expect(renewed?.record.due == noon + 11 * second)
        #expect(try await store.find(job.id)?.record.progress == 0.25)
        let done = try await store.change(job.id, .finish(token: 1, result: [9, 0, 9]), at: noon + 2 * second)
        #expect(done?.isApplied == true)
        let found = try #require(try await store.find(job.id))
        #expect(found.record.phase == .done && found.result == [9, 0, 9] && found.record.due == noon + 62 * second)
        for change in [
            JobChange.finish(token: 1, result: [1]), .fail(token: 1, failure: JobFailure(.timeout, "")), .cancel,
            .renew(token: 1, lease: second, progress: 0), .giveBack(token: 1),
            .retry(token: 1, after: 0, failure: JobFailure(.timeout, ""), counts: true),
        ] {
            #expect(try await store.change(job.id, change, at: noon + 3 * second)?.isApplied == false)
        }
        #expect(try await store.find(job.id) == found)
        #expect(try await store.change(newJob(2).id, .cancel, at: noon) == nil)
        #expect(try await store.find(newJob(2).id) == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `who lost its lease changes nothing any more`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder), job = newJob(1)
        try await store.add(job)
        #expect(try await store.next(at: noon)?.record.token == 1)
        #expect(try await store.next(at: noon + 10 * second - 1) == nil)
        let later = noon + 10 * second
        #expect(try await store.next(at: later)?.record.token == 2)
        for change in [
            JobChange.finish(token: 1, result: [1]), .renew(token: 1, lease: 100 * second, progress: 0.5),
            .giveBack(token: 1), .fail(token: 1, failure: JobFailure(.timeout, "late")),
            .retry(token: 1, after: 0, failure: JobFailure(.timeout, "late"), counts: true),
        ] {
            #expect(try await store.change(job.id, change, at: later)?.isApplied == false)
        }
        #expect(try await store.change(job.id, .finish(token: 2, result: [2]), at: later)?.isApplied == true)
        #expect(try await store.change(job.id, .finish(token: 1, result: [1]), at: later)?.isApplied == false)
        #expect(try await store.find(job.id)?.result == [2])
    }

    @Test(arguments: StoreKind.allCases)
    func `a lease that is over, but not noticed, still ends the job`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder), job = newJob(1)
        try await store.add(job)
        _ = try await store.next()
        #expect(try await store.change(job.id, .finish(token: 1, result: [1]), at: noon + minute)?.isApplied == true)
        #expect(try await store.phase(job) == .done)
    }

    @Test(arguments: StoreKind.allCases)
    func `a job whose workers die has failed after its last run`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder), job = newJob(1, mostRuns: 3)
        try await store.add(job)
        for run in 1...3 { #expect(try await store.next(at: noon + Int64(run) * minute)?.record.runs == run) }
        #expect(try await store.next(at: noon + 4 * minute) == nil)
        #expect(try await store.phase(job) == .failed)
        #expect(try await store.find(job.id)?.record.failure?.cause == .unknown)
    }

    @Test(arguments: StoreKind.allCases)
    func `the most critical first, and tenants take turns`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder)
        for number in 0..<6 { try await store.add(newJob(UInt64(number), tenant: "greedy")) }
        try await store.add(newJob(10, tenant: "small"))
        try await store.add(newJob(11, tenant: "small"))
        try await store.add(newJob(20, tenant: "greedy", .criticalPlus))
        try await store.add(newJob(30, tenant: "idle", .sheddable))
        #expect(try await store.find(newJob(10).id)?.ahead == 2)
        #expect(try await store.find(newJob(30).id)?.ahead == 9)
        var order: [UInt64] = []
        let numbers = [0, 1, 2, 3, 4, 5, 10, 11, 20, 30, 12] as [UInt64]
        for step in 0..<11 {
            // Who comes later comes after what was taken, and before what a greedy one has in store.
            if step == 4 { try await store.add(newJob(12, tenant: "late")) }
            let id = try await store.next()?.record.id
            order += numbers.filter { newJob($0).id == id }
        }
        #expect(order == [20, 0, 10, 1, 11, 2, 12, 3, 4, 5, 30])
    }

    @Test(arguments: StoreKind.allCases)
    func `a key names one job for a tenant in a queue`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder), job = newJob(1, tenant: "a", key: "k")
        try await store.add(job)
        let again = try await store.insert(
            newJob(2, tenant: "a", key: "k", fingerprint: 8), payload: [9], bounds: plenty, at: noon)
        #expect(again == .existing(StoredJob(job)))
        try await store.add(newJob(3, tenant: "b", key: "k"))
        try await store.add(newJob(4, queue: "other", tenant: "a", key: "k"))
        try await store.add(newJob(5, tenant: "a"))
        // Also after its end, for as long as it is kept.
        _ = try await store.change(job.id, .cancel, at: noon)
        let third = newJob(6, tenant: "a", key: "k", at: noon + 60 * second - 1)
        let before = try await store.insert(third, payload: [], bounds: plenty, at: third.submitted)
        guard case .existing(let found) = before else { throw StoreError(.other, "\(before)") }
        #expect(found.record.phase == .cancelled)
        try await store.add(newJob(7, tenant: "a", key: "k", at: noon + 60 * second))
        #expect(try await store.find(job.id) == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `a full queue takes no more, until one has ended`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder), bounds = JobBounds(open: 2, ended: 1)
        try await store.add(newJob(1), [1], bounds)
        try await store.add(newJob(2, key: "k"), [1], bounds)
        _ = try await store.next()
        #expect(try await store.insert(newJob(3), payload: [], bounds: bounds, at: noon) == .full)
        // The same one is not one more.
        guard case .existing = try await store.insert(newJob(4, key: "k"), payload: [], bounds: bounds, at: noon)
        else { throw StoreError(.other, "a second job") }
        try await store.add(newJob(5, queue: "other"), [1], bounds)
        _ = try await store.change(newJob(2).id, .cancel, at: noon)
        try await store.add(newJob(6), [1], bounds)
        _ = try await store.change(newJob(6).id, .cancel, at: noon + second)
        let counts = try await store.tidy("q", bounds: bounds, at: noon + second)
        #expect(counts == JobCounts(waiting: 0, running: 1, ended: 1, due: noon + 10 * second))
        // The oldest of the ended went.
        #expect(try await store.find(newJob(2).id) == nil)
        #expect(try await store.phase(newJob(6)) == .cancelled)
    }

    @Test(arguments: StoreKind.allCases)
    func `a failed run is tried again after its pause, and not for ever`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder), job = newJob(1, mostRuns: 2)
        let failure = JobFailure(.overloaded, "busy")
        func fail(_ token: Int64, counts: Bool, at now: Int64) async throws {
            let change = JobChange.retry(token: token, after: 5 * second, failure: failure, counts: counts)
            #expect(try await store.change(job.id, change, at: now)?.isApplied == true)
        }
        try await store.add(job)
        _ = try await store.next()
        try await fail(1, counts: true, at: noon)
        #expect(try await store.phase(job) == .delayed)
        #expect(
            try await store.take(from: "q", lease: second, bounds: plenty, at: noon + 5 * second - 1)
                == JobHandout(job: nil, due: noon + 5 * second))
        let again = try #require(try await store.next(at: noon + 5 * second))
        #expect(again.record.runs == 2 && again.record.failure == failure && again.payload == [1, 2, 3])
        try await fail(2, counts: false, at: noon + 6 * second)
        let third = try #require(try await store.next(at: noon + minute))
        #expect(third.record.runs == 2)
        #expect(try await store.change(job.id, .giveBack(token: 3), at: noon + minute)?.isApplied == true)
        #expect(try await store.next(at: noon + minute)?.record.runs == 2)
        try await fail(4, counts: true, at: noon + minute)
        #expect(try await store.find(job.id)?.record.failure == failure)
        #expect(try await store.phase(job) == .failed)
    }

    @Test(arguments: StoreKind.allCases)
    func `what waits too long expires, and what has ended goes in the end`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder)
        let short = newJob(1, expires: 10 * second), taken = newJob(2, .criticalPlus, expires: 10 * second)
        try await store.add(short)
        try await store.add(taken)
        #expect(try await store.next(lease: minute)?.record.id == taken.id)
        #expect(try await store.next(at: noon + 10 * second) == nil)
        #expect(try await store.phase(short) == .expired)
        // What runs goes on; but it is not begun again.
        #expect(try await store.phase(taken) == .running)
        _ = try await store.change(taken.id, .giveBack(token: 1), at: noon + 20 * second)
        #expect(try await store.next(at: noon + 20 * second) == nil)
        #expect(try await store.phase(taken) == .expired)
        let last = try await store.tidy("q", bounds: plenty, at: noon + 70 * second)
        #expect(last == JobCounts(waiting: 0, running: 0, ended: 1, due: noon + 80 * second))
        #expect(try await store.find(short.id) == nil)
        #expect(try await store.tidy("q", bounds: plenty, at: noon + 80 * second).due == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `a clock that was set back keeps nobody waiting`(kind: StoreKind) async throws {
        let store = try await kind.make(in: folder), day: Int64 = 86_400 * second
        try await store.add(newJob(1))
        try await store.add(newJob(2))
        try await store.add(newJob(3, expires: day))
        _ = try await store.next()
        _ = try await store.next()
        let change = JobChange.retry(token: 1, after: 30 * second, failure: JobFailure(.timeout, ""), counts: true)
        _ = try await store.change(newJob(2).id, change, at: noon)
        // What a process says that was held up for a while, is no such thing.
        _ = try await store.tidy("q", bounds: plenty, at: noon - 20 * second)
        #expect(try await store.find(newJob(1).id)?.record.due == noon + 10 * second)
        _ = try await store.tidy("q", bounds: plenty, at: noon - day)
        #expect(try await store.find(newJob(1).id)?.record.due == noon - day + 10 * second)
        #expect(try await store.find(newJob(2).id)?.record.due == noon - day + 30 * second)
        #expect(try await store.find(newJob(3).id)?.record.due == noon + day)
        #expect(try await store.tidy("q", bounds: plenty, at: noon - day + 10 * second).running == 0)
    }
}
#endif
