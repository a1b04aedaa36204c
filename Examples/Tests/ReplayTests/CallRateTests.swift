import Testing

@testable import Replay

@Suite("Call rates")
struct CallRateTests {
    private func sample(_ at: Double, _ calls: Int, _ good: Int) -> RunResult.CallSample {
        .init(at: at, calls: calls, good: good, wasted: max(0, calls - good))
    }

    @Test("rates are per second of the interval")
    func rates() {
        let rates = CallRate.between([sample(0, 0, 0), sample(5, 20, 10), sample(7, 20, 14)])
        #expect(rates == [.init(from: 0, to: 5, calls: 4, good: 2), .init(from: 5, to: 7, calls: 0, good: 2)])
    }

    @Test("readings that come too close are left out without a gap")
    func close() {
        let rates = CallRate.between([sample(0, 0, 0), sample(5, 20, 10), sample(5.5, 90, 90), sample(10, 30, 15)])
        #expect(rates == [.init(from: 0, to: 5, calls: 4, good: 2), .init(from: 5, to: 10, calls: 2, good: 1)])
    }

    @Test("fewer than two readings have no rate")
    func few() {
        #expect(CallRate.between([]).isEmpty)
        #expect(CallRate.between([sample(0, 0, 0)]).isEmpty)
    }
}
