import SpillwayCore
import Testing

@testable import GPUClient

@Suite("Holt-Winters")
struct HoltWintersTests {
    /// The component form as the book prints it, with all that ever was kept.
    private struct Book {
        let a, b, c, phi: Double
        let season: Int
        var level: Double
        var trend = 0.0
        var seasonal: [Int: Double] = [:]

        func expected(_ ahead: Int, of step: Int) -> Double {
            var (weight, power) = (0.0, 1.0)
            for _ in 0..<ahead { (power, weight) = (power * phi, weight + power * phi) }
            return level + weight * trend + (season > 0 ? seasonal[step % season]! : 0)
        }

        mutating func learn(_ value: Double, at step: Int) {
            let before = (level, trend)
            let season = self.season > 0 ? seasonal[step % self.season]! : 0
            level = a * (value - season) + (1 - a) * (before.0 + phi * before.1)
            trend = b * (level - before.0) + (1 - b) * phi * before.1
            guard self.season > 0 else { return }
            let gamma = c * (1 - a)
            seasonal[step % self.season] = gamma * (value - before.0 - phi * before.1) + (1 - gamma) * season
        }
    }

    @Test("the error-correction form agrees with the book's component form, with and without a season")
    func agrees() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let smoothing = DemandForecast.Smoothing(
                level: .random(in: 0...1, using: &random), trend: .random(in: 0...1, using: &random),
                season: .random(in: 0...1, using: &random), damping: .random(in: 0...1, using: &random))
            let season = seed % 3 == 0 ? 0 : Int.random(in: 2...9, using: &random)
            let pattern = (0..<max(season, 1)).map { _ in Double.random(in: 0...100, using: &random) }
            let first = Int.random(in: 0...50, using: &random)
            func started(_ step: Int) -> Double { pattern[(step - first) % pattern.count] }
            var model = HoltWinters(started(first), at: first, season: season, smoothing)
            // Two seasons alike set out from their mean, without a trend.
            let begin = max(1, 2 * season)
            for step in (first + 1)..<(first + begin) { model.learn(started(step), at: step) }
            let mean = pattern.reduce(0, +) / Double(pattern.count)
            var book = Book(
                a: smoothing.level, b: smoothing.trend, c: smoothing.season, phi: smoothing.damping, season: season,
                level: season > 0 ? mean : pattern[0])
            for offset in 0..<season { book.seasonal[(first + offset) % season] = pattern[offset] - mean }
            for step in (first + begin)..<(first + begin + 80) {
                for ahead in [1, 2, 7] {
                    let (mine, its) = (model.expected(at: step + ahead - 1), book.expected(ahead, of: step + ahead - 1))
                    #expect(abs(mine - its) < 1e-6, "seed \(seed), step \(step), \(ahead) ahead")
                }
                let value = Double.random(in: 0...200, using: &random)
                model.learn(value, at: step)
                book.learn(value, at: step)
            }
        }
    }

    @Test("a straight line and a pattern are followed exactly once both are known")
    func exact() {
        func value(_ step: Int) -> Double { 100 + 2 * Double(step) + [5, -20, 10, 5][step % 4] }
        var model = HoltWinters(value(3), at: 3, season: 4, DemandForecast.Smoothing(damping: 1))
        for step in 4...10 { model.learn(value(step), at: step) }
        for step in 11...40 {
            #expect(abs(model.expected(at: step) - value(step)) < 1e-9, "step \(step)")
            #expect(abs(model.expected(at: step + 9) - value(step + 9)) < 1e-9)
            model.learn(value(step), at: step)
        }
    }

    @Test("steps that are not known damp the trend and teach nothing")
    func gap() {
        let smoothing = DemandForecast.Smoothing(level: 0.5, trend: 0.5, damping: 0.5)
        var model = HoltWinters(10, at: 0, season: 0, smoothing)
        model.learn(18, at: 1)
        // Level 14, trend 2: half of the level's change.
        #expect(model.expected(at: 2) == 15 && model.expected(at: 4) == 14 + 1 + 0.5 + 0.25)
        let expected = model.expected(at: 4)
        model.learn(expected, at: 4)
        #expect(model.expected(at: 4) == expected)
        #expect(model.expected(at: 5) == expected + 0.125)
    }

    @Test("seasons with holes, and a jump beyond them, leave finite numbers and fill the holes from their neighbours")
    func holes() {
        for seed in 1...200 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let season = Int.random(in: 2...12, using: &random)
            var step = Int.random(in: -20...20, using: &random)
            var model = HoltWinters(50, at: step, season: season, DemandForecast.Smoothing())
            for _ in 0..<30 {
                step += Int.random(in: 1...(random.next() % 8 == 0 ? 3 * season : 3), using: &random)
                model.learn(.random(in: 40...60, using: &random), at: step)
                for ahead in 1...(2 * season) {
                    let expected = model.expected(at: step + ahead)
                    #expect(expected > 0 && expected < 100, "seed \(seed), step \(step): \(expected)")
                }
            }
        }
    }
}
