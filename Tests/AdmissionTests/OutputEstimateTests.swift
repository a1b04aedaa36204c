import Admission
import SpillwayCore
import Testing

@Suite struct OutputEstimateTests {
    @Test func untilEnoughIsKnownTheLongestIsHeld() throws {
        let estimate = try OutputEstimate()
        for _ in 0..<49 { estimate.learn(output: 10, at: at(1)) }
        #expect(estimate.tokens(input: 7, maxOutput: 4_096, at: at(1)) == .estimate(input: 7, maxOutput: 4_096))
        estimate.learn(output: 10, at: at(1))
        #expect(estimate.tokens(input: 7, maxOutput: 4_096, at: at(3)).maxOutput == 10)
        #expect(estimate.tokens(input: 7, maxOutput: 4, at: at(3)).maxOutput == 4, "never more than the longest")
        #expect(estimate.tokens(input: 7, maxOutput: 100, expected: 30, at: at(3)).maxOutput == 30)
        #expect(estimate.tokens(input: 7, maxOutput: 20, expected: 30, at: at(3)).maxOutput == 20)
    }

    @Test func itIsTheQuantileToWithinABucket() throws {
        for quantile in [0.5, 0.9, 0.95, 0.99] {
            let estimate = try OutputEstimate(.init(quantile: quantile))
            for length in 1...10_000 { estimate.learn(output: length, at: at(1)) }
            let exact = 10_000 * quantile,
                found = Double(estimate.tokens(input: 0, maxOutput: .max, at: at(1)).maxOutput)
            #expect(found >= exact - 1 && found <= exact * (1 + 1 / 64.0) + 1, "\(quantile): \(found)")
        }
    }

    /// Half of the answers are cut at 100; taken as ended there, 100 would seem to be enough.
    @Test func answersThatWereCutCountAsAtLeastThat() throws {
        let estimate = try OutputEstimate(.init(quantile: 0.9))
        for length in 1...1_000 {
            estimate.learn(output: length, at: at(1))
            estimate.learn(output: min(length, 100), isCut: length > 100, at: at(1))
        }
        let found = estimate.tokens(input: 0, maxOutput: 4_096, at: at(1)).maxOutput
        #expect((880...930).contains(found), "\(found)")
        let unknown = try OutputEstimate()
        for _ in 0..<1_000 { unknown.learn(output: 100, isCut: true, at: at(1)) }
        #expect(unknown.tokens(input: 0, maxOutput: 4_096, at: at(1)).maxOutput == 4_096)
    }

    @Test func oldAnswersAreForgotten() throws {
        let estimate = try OutputEstimate(.init(quantile: 0.9, span: .seconds(60)))
        for _ in 0..<100 { estimate.learn(output: 1_000, at: at(10)) }
        #expect(estimate.tokens(input: 0, maxOutput: 4_096, at: at(70)).maxOutput < 1_010)
        #expect(estimate.tokens(input: 0, maxOutput: 4_096, at: at(121)).maxOutput == 4_096)
        for _ in 0..<100 { estimate.learn(output: 10, at: at(130)) }
        #expect(estimate.tokens(input: 0, maxOutput: 4_096, at: at(135)).maxOutput == 10)
    }

    @Test func routesAreToldApartAndBounded() throws {
        let estimate = try OutputEstimate(.init(quantile: 0.9, routes: 2))
        for _ in 0..<60 {
            estimate.learn(output: 10, route: "title", at: at(1))
            estimate.learn(output: 900, route: "essay", at: at(1))
            estimate.learn(output: 5, route: "third", at: at(1))
        }
        #expect(estimate.routeCount == 2)
        #expect(estimate.tokens(input: 0, maxOutput: 4_096, route: "title", at: at(1)).maxOutput == 10)
        #expect(estimate.tokens(input: 0, maxOutput: 4_096, route: "essay", at: at(1)).maxOutput >= 900)
        #expect(estimate.tokens(input: 0, maxOutput: 4_096, route: "third", at: at(1)).maxOutput == 4_096)
    }

    @Test func badValuesAndConfigurations() throws {
        let estimate = try OutputEstimate(.init(quantile: 0.9, enough: 10))
        for _ in 0..<20 { estimate.learn(output: -5, at: at(-1)) }
        for _ in 0..<20 { estimate.learn(output: .max, at: at(1)) }
        #expect(estimate.tokens(input: -1, maxOutput: -1, at: at(1)) == .none)
        #expect(estimate.tokens(input: 0, maxOutput: 4_096, at: at(1)).maxOutput == 4_096)
        for bad in [
            OutputEstimate.Configuration(quantile: 0.4), .init(quantile: .nan), .init(quantile: 0.9, enough: 9),
            .init(quantile: 0.9, span: .zero), .init(quantile: 0.9, routes: 0),
        ] { #expect(throws: ConfigurationError.self) { try OutputEstimate(bad) } }
    }
}
