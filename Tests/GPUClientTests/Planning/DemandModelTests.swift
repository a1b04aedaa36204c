import SpillwayCore
import Testing

@testable import GPUClient

@Suite("DemandForecast against a plain model")
struct DemandModelTests {
    private typealias Forecast = DemandForecast.Forecast

    /// What a forecast does, in the plainest way: all that was ever expected and known is kept, and looked through each time.
    private struct Plain {
        let configuration: DemandForecast.Configuration
        var model: HoltWinters?
        /// By the number of steps ahead: what was expected of which step, and how far off it was.
        var expected: [Int: [Int: Double]] = [:]
        var errors: [Int: [Double]] = [:]

        mutating func learn(_ value: Double, _ step: Int) {
            for ahead in 1...configuration.horizon {
                guard let forecast = expected[ahead]?[step] else { continue }
                errors[ahead, default: []].append((value - forecast) / max(forecast, 1).squareRoot())
            }
            if model == nil {
                let season = configuration.season ?? 0
                model = HoltWinters(value, at: step, season: season, configuration.smoothing)
            } else {
                model?.learn(value, at: step)
            }
            for ahead in 1...configuration.horizon {
                expected[ahead, default: [:]][step + ahead] = model.map { max($0.expected(at: step + ahead), 0) }
            }
        }

        /// The bucket that comes so many after the last known one.
        func forecast(ahead: Int, _ coverage: Double) -> Forecast? {
            guard let model, ahead <= configuration.horizon else { return nil }
            let errors = (errors[ahead] ?? []).suffix(configuration.errors).sorted()
            let rank = Int((Double(errors.count + 1) * (1 + coverage) / 2).rounded(.up))
            guard !errors.isEmpty, rank <= errors.count else { return nil }
            let expected = max(model.expected(at: model.last + ahead), 0), unit = max(expected, 1).squareRoot()
            let (low, high) = (errors[errors.count - rank], errors[rank - 1])
            let width = configuration.bucket / .seconds(1)
            return Forecast(
                expected: expected / width, lower: min(max(expected + low * unit, 0), expected) / width,
                upper: max(expected + max(low, high) * unit, expected) / width, buckets: ahead)
        }

        func peak(from first: Int, through last: Int, _ coverage: Double) -> Forecast? {
            let all = (first...last).map { forecast(ahead: $0, coverage) }
            // The first of those with the highest upper end.
            return all.contains(nil) ? nil : all.compactMap { $0 }.reversed().max { $0.upper < $1.upper }
        }
    }

    private static func at(_ bucket: Int, _ seconds: Int = 0) -> Instant {
        .zero.advanced(by: .seconds(bucket * 60 + seconds))
    }

    @Test("forecasts and peaks are the model's, bit for bit, through gaps, whatever is asked")
    func model() throws {
        for seed in 1...30 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let configuration = DemandForecast.Configuration(
                bucket: .seconds(60), season: Bool.random(using: &random) ? .random(in: 2...12, using: &random) : nil,
                horizon: .random(in: 1...8, using: &random), errors: .random(in: 20...40, using: &random))
            let demand = try DemandForecast(configuration)
            var plain = Plain(configuration: configuration)
            // The first bucket is not whole.
            demand.record(5, at: Self.at(0))
            var bucket = 1
            for _ in 0..<150 {
                let counts = (0..<3).map { _ in Int.random(in: 0...500, using: &random) }
                for (second, count) in counts.enumerated() { demand.record(count, at: Self.at(bucket, second)) }
                plain.learn(Double(counts.reduce(0, +)), bucket)
                let later = Int.random(in: 0..<configuration.horizon, using: &random)
                let begin = 1 + Int.random(in: 0...1, using: &random), now = Self.at(bucket + begin, 59)
                for coverage in [0.5, 0.9, 0.99] {
                    let ahead = Duration.seconds(60 * later), last = begin + later
                    let forecast = demand.forecast(ahead: ahead, at: now, coverage: coverage)
                    #expect(forecast == plain.forecast(ahead: last, coverage), "seed \(seed), bucket \(bucket)")
                    let peak = demand.peak(through: ahead, at: now, coverage: coverage)
                    #expect(
                        peak == plain.peak(from: begin, through: last, coverage), "seed \(seed), bucket \(bucket)")
                }
                // A bucket of which nothing is known was asked about.
                bucket += max(begin, [1, 1, 1, 2][Int.random(in: 0..<4, using: &random)])
            }
        }
    }

    @Test("a copy is asked without the lock: what is recorded meanwhile changes nothing in it")
    func copies() {
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            var state = DemandState(DemandForecast.Configuration(bucket: .seconds(60), season: 7, horizon: 5))
            for bucket in 0..<60 { state.record(.random(in: 0...500, using: &random), at: Self.at(bucket)) }
            state.close(at: Self.at(60))
            let copy = state
            func peak() -> Forecast? { copy.forecast(from: .zero, through: .seconds(240), at: Self.at(60), 0.9) }
            let before = peak()
            #expect(before != nil)
            for bucket in 60..<90 {
                state.record(.random(in: 0...5_000, using: &random), at: Self.at(bucket))
                #expect(peak() == before, "seed \(seed)")
            }
            state.close(at: Self.at(90))
            #expect(state.forecast(from: .zero, through: .seconds(240), at: Self.at(90), 0.9) != before)
        }
    }
}
