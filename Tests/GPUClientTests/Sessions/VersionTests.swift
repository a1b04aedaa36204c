import GPUClient
import SpillwayCore
import Testing

@Suite("Versions of models")
struct VersionTests {
    @Test(
        "what says a version",
        arguments: [
            ("2", ModelVersion(2)), ("v2.1", ModelVersion(2, 1)), ("V2.1.3", ModelVersion(2, 1, 3)),
            ("llama-3.1-70b@2.3.1", ModelVersion(2, 3, 1)), ("qwen@v4", ModelVersion(4)), ("a@b@7", ModelVersion(7)),
            ("2.1.3-rc1+build.5", ModelVersion(2, 1, 3)), ("2.x", ModelVersion(2)), ("1.2.3.4", ModelVersion(1, 2, 3)),
            ("2024-08-06", ModelVersion(2024)), ("0", ModelVersion(0)), ("007", ModelVersion(7)),
        ])
    func says(text: String, version: ModelVersion) { #expect(ModelVersion(text) == version) }

    @Test(
        "what says none",
        arguments: [
            "", "v", "latest", "llama-3.1-70b", "70b", "@", "llama@", "llama@latest", "-1", ".1", " 2", "٣",
            "99999999999999999999",
        ])
    func none(text: String) { #expect(ModelVersion(text) == nil) }

    @Test("any text is read or not, and what is written is read as the same")
    func anything() {
        for seed in 1...2_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let text = String(
                (0..<Int.random(in: 0...9, using: &random)).map { _ in "v@.0129-x".randomElement(using: &random)! })
            guard let version = ModelVersion(text) else { continue }
            #expect(ModelVersion(version.description) == version, "seed \(seed): \(text)")
        }
    }

    @Test("versions are ordered by their numbers")
    func order() {
        let sorted = [ModelVersion(0, 9), ModelVersion(1), ModelVersion(1, 0, 9), ModelVersion(1, 2), ModelVersion(10)]
        #expect(sorted.shuffled().sorted() == sorted)
        #expect(ModelVersion(-1, -2, -3) == ModelVersion(0))
    }

    @Test("a conversation stays within its major version and its model")
    func gate() {
        let gate = VersionGate(model: "llama", version: ModelVersion(2, 3))
        #expect(gate.allows(model: "llama", version: ModelVersion(2, 3)))
        #expect(gate.allows(model: "llama", version: ModelVersion(2, 9, 1)))
        #expect(gate.allows(model: nil, version: ModelVersion(2)))
        #expect(!gate.allows(model: "llama", version: ModelVersion(3, 3)))
        #expect(!gate.allows(model: "llama", version: ModelVersion(1)))
        #expect(!gate.allows(model: "qwen", version: ModelVersion(2, 3)))
        #expect(!gate.allows(model: "llama", version: nil), "an unknown one might be any")
        let unknown = VersionGate(model: nil, version: nil)
        #expect(unknown.allows(model: "llama", version: nil))
        #expect(!unknown.allows(model: "llama", version: ModelVersion(0)))
    }

    @Test("no walk through a fleet ever crosses a major version")
    func failover() {
        for seed in 1...500 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let fleet = (0..<12).map { number in
                Member(
                    "gpu-\(number)", address: "a:\(number)", model: ["a", "b"].randomElement(using: &random),
                    version: [nil, ModelVersion(1, 2), ModelVersion(1, 3), ModelVersion(2)].randomElement(
                        using: &random)!)
            }
            let first = fleet.randomElement(using: &random)!
            var session = Session(
                id: "s", replica: first.name, model: first.model!, version: first.version, started: 0)
            for turn in 1...30 as ClosedRange<Int64> {
                let next = fleet.filter(VersionGate(session).allows).randomElement(using: &random)
                #expect(next != nil, "its own replica at least, seed \(seed)")
                guard let next else { break }
                session.turn(on: next.name, at: turn)
                #expect(next.version?.major == first.version?.major && next.model == first.model, "seed \(seed)")
            }
        }
    }
}
