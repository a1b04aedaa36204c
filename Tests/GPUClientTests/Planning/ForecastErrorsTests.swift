import SpillwayCore
import Testing

@testable import GPUClient

@Suite("Errors of forecasts")
struct ForecastErrorsTests {
    @Test("each error is that of the forecast made so many steps ahead, and only the last so many are kept")
    func model() {
        for seed in 1...100 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let horizon = Int.random(in: 1...6, using: &random)
            let kept = Int.random(in: 20...30, using: &random)
            var errors = ForecastErrors(horizon: horizon, kept: kept)
            var made: [Int: [Int: Double]] = [:]
            var all: [Int: [Double]] = [:]
            var step = Int.random(in: -10...10, using: &random)
            for _ in 0..<120 {
                let value = Double.random(in: 0...500, using: &random)
                errors.learn(value, of: step)
                for (ahead, forecast) in made[step] ?? [:] {
                    all[ahead, default: []].append((value - forecast) / max(forecast, 1).squareRoot())
                }
                for ahead in 1...horizon {
                    let forecast = Double.random(in: 0...500, using: &random)
                    errors.expect(forecast, of: step + ahead, ahead: ahead)
                    made[step + ahead, default: [:]][ahead] = forecast
                }
                for ahead in 1...horizon {
                    let last = (all[ahead] ?? []).suffix(kept).sorted()
                    let rank = Int((Double(last.count + 1) * 0.95).rounded(.up))
                    let range = errors.range(ahead: ahead, coverage: 0.9)
                    let isThere = rank <= last.count
                    #expect(range?.upperBound == (isThere ? last[rank - 1] : nil), "seed \(seed)")
                    #expect(range?.lowerBound == (isThere ? last[last.count - rank] : nil), "seed \(seed)")
                }
                step += random.next() % 5 == 0 ? Int.random(in: 2...9, using: &random) : 1
            }
        }
    }

    @Test("there is an interval from the 19th error on, and none of what was never expected")
    func enough() {
        var errors = ForecastErrors(horizon: 1, kept: 20)
        for step in 0..<40 {
            #expect((errors.range(ahead: 1, coverage: 0.9) != nil) == (step >= 19), "after \(step)")
            errors.expect(100, of: step, ahead: 1)
            errors.learn(100 + Double(step % 10), of: step)
            errors.learn(1e9, of: step + 1)
        }
        // 99 % takes 199 errors; so many are not kept.
        #expect(errors.range(ahead: 1, coverage: 0.99) == nil)
    }
}
