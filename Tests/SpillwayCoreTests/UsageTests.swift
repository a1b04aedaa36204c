import SpillwayCore
import Testing

@Suite("What an attempt used")
struct UsageTests {
    @Test("it prints what is not 0, and who says so")
    func description() {
        #expect("\(Usage(input: 900, cacheRead: 0, output: 100))" == "input 900, output 100, requests 1 (provider)")
        #expect("\(Usage(requests: 0, source: .estimated))" == "nothing (estimated)")
    }

    @Test("counts are bounded, and do not overlap")
    func counts() {
        var usage = Usage(input: -5, cacheRead: .max, output: 7, reasoning: 3)
        #expect(usage[.input] == 0 && usage[.cacheRead] == Usage.most && usage.answerTokens == 10)
        usage[.imageInput] = 2
        #expect(usage.promptTokens == Usage.most + 2)
        #expect((usage + usage)[.cacheRead] == Usage.most && (usage + usage)[.output] == 14)
        #expect((usage + Usage(estimatedFor: .none)).source == .estimated)
    }
}
