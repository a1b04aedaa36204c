import Admission
import SpillwayCore
import Testing

/// Nothing is minted, whatever the order of admissions and settlements.
@Suite struct QuotaSettlementTests {
    private func call(_ tokens: Int) -> Call {
        Call(tokens: .estimate(input: tokens / 2, maxOutput: tokens - tokens / 2))
    }

    @Test func realUseNeverPassesTheLimit() throws {
        try forSeeds(1_000) { seed, random in
            let burst = UInt32(50 + random.next(through: 500)), rate = 1 + random.next(through: 60)
            let quota = try Quota(
                "quota", .init(tokens: .init(.perSecond(Double(rate)), burst: burst), concurrency: 64), at: at(1))
            var meter = Hindsight(rate: Int(rate), burst: Int(burst)), now = at(1)
            var held: [(permit: HeldCall, charge: Int)] = []
            for _ in 0..<300 {
                switch random.next(through: 5) {
                case 0, 1: now = now.advanced(by: .milliseconds(Int64(random.next(through: 900))))
                case 2, 3:
                    guard !held.isEmpty else { continue }
                    let (permit, charge) = held.remove(at: Int(random.next(through: UInt64(held.count - 1))))
                    meter.settle(charge, permit.end(&random, at: now), at: now)
                default:
                    let estimate = Int(1 + random.next(through: UInt64(burst) / 3))
                    do throws(Rejection) {
                        let permit = HeldCall(try quota.admit(call(estimate), at: now), estimate)
                        held.append((permit, meter.admit(estimate, at: now)))
                    } catch {}
                }
            }
            #expect(meter.excess == 0, "seed \(seed)")
        }
    }

    /// The other side: what was given back can be used.
    ///
    /// With all calls settled, as much is left as hindsight says, but for what marks that became one have lost.
    @Test func littleIsLostToCaution() throws {
        var left = 0.0, exact = 0.0
        try forSeeds(300) { seed, random in
            let quota = try Quota("quota", .init(tokens: .perSecond(100, burst: 10_000)), at: at(1))
            var now = at(1), held: [(HeldCall, Int)] = [], owed: [(at: Int64, units: Int)] = []
            func end(_ call: (permit: HeldCall, index: Int)) {
                let real = call.permit.end(&random, at: now)
                if real > owed[call.index].units { owed.append((now.nanoseconds, real - owed[call.index].units)) }
                owed[call.index].units = min(real, owed[call.index].units)
            }
            for _ in 0..<200 {
                now = now.advanced(by: .milliseconds(Int64(random.next(through: 200))))
                let estimate = Int(50 + random.next(through: 400))
                do throws(Rejection) {
                    held.append((HeldCall(try quota.admit(call(estimate), at: now), estimate), owed.count))
                    owed.append((now.nanoseconds, estimate))
                } catch {}
                if held.count > 20 { end(held.remove(at: Int(random.next(through: 20)))) }
            }
            for call in held { end(call) }
            var debt = 0.0, last = owed[0].at
            for charge in owed {
                debt = max(0, debt - Double(charge.at - last) / 1e9 * 100) + Double(charge.units)
                last = charge.at
            }
            debt = max(0, debt - Double(now.nanoseconds - last) / 1e9 * 100)
            left += Double(try #require(quota.standing(at: now).first).remaining)
            exact += 10_000 - debt
        }
        #expect(left <= exact && left > 0.9 * exact, "\(left) of \(exact)")
    }

    /// Real threads: at one moment nothing drips in, so what was used is at most the burst.
    @Test(arguments: ["bucket", "keyed", "quota"]) func threadsTogetherUseNoMoreThanTheBurst(
        _ kind: String
    ) async throws {
        for round in 0..<20 {
            let gate: any Gate =
                switch kind {
                case "bucket": try TokenBucket("b", .init(rate: .perDay(100), burst: 10_000, unit: .tokens))
                case "keyed":
                    try KeyedTokenBucket("k", .init(rate: .perDay(100), burst: 10_000, unit: .tokens, keys: 8))
                default: try Quota("q", .init(requests: .perDay(1e6), tokens: .perDay(100, burst: 10_000)), at: at(1))
                }
            let used = await sum(over: 8) { task in
                var random = RandomSource.seeded(UInt64(round * 8 + task)), used = 0
                for _ in 0..<500 {
                    let estimate = Int(1 + random.next(through: 99))
                    do throws(Rejection) {
                        let permit = try gate.admit(call(estimate), at: at(1))
                        let real = Int(random.next(through: UInt64(estimate)))
                        permit.settle(.success, Measurements(usage: Usage(input: real)), at: at(1))
                        used += real
                    } catch {}
                }
                return used
            }
            // A keyed bucket gives back only to the last call of its key: how much of it is used is up to the threads.
            #expect(used <= 10_000 && used > (kind == "keyed" ? 1_000 : 9_000), "round \(round): \(used)")
        }
    }

    @Test func threadsThatLearnUpdateAndSettleLeaveTheBooksStraight() async throws {
        let quota = try Quota(
            "q", .init(requests: .perSecond(1e6), tokens: .perSecond(1e6), concurrency: 32), at: at(1))
        _ = await sum(over: 6) { task in
            var random = RandomSource.seeded(UInt64(task))
            for step in 0..<2_000 {
                let now = at(1 + Double(step) / 1_000)
                if task == 0, step % 50 == 0 {
                    try? quota.update(
                        .init(requests: .perSecond(1e6), tokens: .perSecond(5e5), concurrency: 32), at: now)
                }
                if task == 1 {
                    let headers = [
                        "x-ratelimit-limit-tokens": "1000000",
                        "x-ratelimit-remaining-tokens": "\(random.next(through: 1_000_000))",
                        "x-ratelimit-reset-tokens": "500ms",
                    ]
                    quota.learn(ProviderSignals(.openAI, status: 200, headers: { headers[$0] }, now: 0), at: now)
                }
                guard let permit = try? quota.admit(call(100), at: now) else { continue }
                permit.settle(.success, Measurements(usage: Usage(input: 50)), at: now)
            }
            return 0
        }
        #expect(quota.callsUnderWay == 0)
        #expect(quota.standing(at: at(100)).allSatisfy { $0.held == 0 })
    }
}
