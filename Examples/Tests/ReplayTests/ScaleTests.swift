import Drawing
import Testing

@testable import Replay

@Suite("Scales")
struct ScaleTests {
    @Test(
        "a linear scale ends at a round number with at most four steps",
        arguments: [(0.0, 1.0), (1, 1), (4, 4), (5, 6), (17, 20), (23, 30), (100, 100), (412, 600)])
    func linear(value: Double, top: Double) {
        let scale = Scale.linear(holding: [value])
        #expect(scale == .linear(max: top))
        #expect((3...6).contains(scale.ticks.count))
        #expect(scale.position(0) == 0)
        #expect(scale.position(top) == 1)
        #expect(scale.position(top * 2) == 1)
    }

    @Test("a logarithmic scale covers whole decades")
    func logarithmic() {
        #expect(Scale.logarithmic(holding: [0.3, 42]) == .logarithmic(from: -1, to: 2))
        #expect(Scale.logarithmic(holding: [1]) == .logarithmic(from: 0, to: 1))
        #expect(Scale.logarithmic(holding: []) == .logarithmic(from: -1, to: 0))
        #expect(Scale.logarithmic(from: -1, to: 1).position(1) == 0.5)
        #expect(Scale.logarithmic(from: -1, to: 1).position(0) == 0)
        #expect(Scale.logarithmic(from: 0, to: 2).ticks == [1, 10, 100])
    }
}
