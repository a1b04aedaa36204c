import Admission
import SpillwayCore
import Testing

@Suite struct KeyedConcurrencyTests {
    /// What `tasks` tasks admit, by key.
    private func admissions(
        keys: Int, tasks: Int, _ body: @escaping @Sendable (Int, _ admitted: (UInt64) -> Void) -> Void
    ) async -> [Int] {
        await withTaskGroup(of: [Int].self) { group in
            for task in 0..<tasks {
                group.addTask {
                    var counts = [Int](repeating: 0, count: keys)
                    body(task) { counts[Int($0)] += 1 }
                    return counts
                }
            }
            return await group.reduce(into: [Int](repeating: 0, count: keys)) { total, counts in
                for key in 0..<keys { total[key] += counts[key] }
            }
        }
    }

    @Test func newKeysThatComeFromManyTasksAtOnceGetOneBucketEach() async throws {
        for round in 0..<10 {
            let buckets = try KeyedTokenBucket("k", .init(rate: .perDay(1), burst: 10, keys: 2_000))
            let counts = await admissions(keys: 500, tasks: 8) { _, admitted in
                for _ in 0..<3 {
                    for key in UInt64(0)..<500 where buckets.take(key, at: at(1)) { admitted(key) }
                }
            }
            #expect(counts.allSatisfy { $0 == 10 }, "round \(round)")
            #expect(buckets.activeKeys(at: at(1)) == 500, "round \(round)")
        }
    }

    /// A table in which keys pass their places on all the time.
    @Test func noKeyExceedsItsLimitWhilePlacesPassOn() async throws {
        for seed in UInt64(1)...4 {
            let buckets = try KeyedTokenBucket("k", .init(rate: .perSecond(100), burst: 2, keys: 30))
            let counts = await admissions(keys: 400, tasks: 8) { task, admitted in
                let random = RandomSource.seeded(seed &* 100 &+ UInt64(task))
                for step in 0..<20_000 {
                    let key = random.next(through: 399)
                    let now = at(1 + Double(step) / 20_000)
                    do throws(Rejection) {
                        let permit = try buckets.admit(key, at: now)
                        if random.next() % 4 == 0 {
                            permit.void(at: now)
                        } else {
                            permit.settle(.success, at: now)
                            admitted(key)
                        }
                    } catch {}
                }
            }
            #expect(counts.allSatisfy { $0 <= 102 }, "seed \(seed)")
            #expect(counts.reduce(0, +) > 400, "seed \(seed)")
        }
    }

    /// The old interval with the new burst would be a limit of millions.
    ///
    /// Debt keeps its length in time, so that the burst of the fast limit takes next to nothing of the slow one's: each
    /// can be used once.
    @Test func duringUpdatesOneLimitOrTheOtherIsInForceAndNoMixture() async throws {
        let slow = KeyedTokenBucket.Configuration(rate: .perDay(10), burst: 10, keys: 2_000)
        let fast = KeyedTokenBucket.Configuration(rate: .perSecond(1e6), burst: 20, keys: 2_000)
        for round in 0..<25 {
            let buckets = try KeyedTokenBucket("k", slow)
            let counts = await admissions(keys: 500, tasks: 5) { task, admitted in
                if task == 0 {
                    for change in 0..<100 { try? buckets.update(change % 2 == 0 ? fast : slow) }
                } else {
                    for key in UInt64(0)..<500 {
                        for _ in 0..<30 where buckets.take(key, at: at(1)) { admitted(key) }
                    }
                }
            }
            #expect(counts.allSatisfy { $0 <= 30 }, "round \(round): \(counts.max()!)")
        }
    }

    @Test func anUpdateBetweenAdmissionAndRefundMintsNothing() throws {
        let buckets = try KeyedTokenBucket("k", .init(rate: .perSecond(1), burst: 4, keys: 10))
        let first = try buckets.admit(UInt64(1), at: at(1))
        let second = try buckets.admit(UInt64(1), at: at(1))
        #expect(buckets.drain(1, at: at(1)) == 2)
        try buckets.update(.init(rate: .perSecond(0.1), burst: 4, keys: 10))
        second.void(at: at(1))
        first.void(at: at(1))
        #expect(buckets.drain(1, at: at(1)) <= 4)
        let debt = try #require(buckets.refusal(1, 1, at: at(1))?.retryAfter)
        #expect(debt > .zero)
    }
}
