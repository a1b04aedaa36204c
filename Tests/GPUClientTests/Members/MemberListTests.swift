import GPUClient
import SpillwayCore
import Testing

private let knownKeys = "there are zone, region, model, version, weight, cost, kv, window and label.NAME"

@Suite("Lists of members")
struct MemberListTests {
    @Test("a key that there is not is told apart from a value that cannot be")
    func keys() {
        #expect("\(list("gpu-1 10.0.0.1:8000 zne=a"))".contains("there is no 'zne'; there are zone,"))
        #expect("\(list("gpu-1 10.0.0.1:8000 weight=a"))".contains("weight cannot be 'a'"))
    }

    private func list(_ text: String) -> String {
        do throws(MemberListError) { return "\(try MemberList(text).members)" } catch { return "\(error)" }
    }

    @Test("a list with comments, blanks, every key and either kind of line end")
    func reads() throws {
        let list = try MemberList(
            """
            # two zones\r
            gpu-1  10.0.1.1:8000  zone=a region=eu model=llama-3.1-70b@2.3.1   # the first one\r

            \tgpu-2 https://10.0.2.1:8000/v1#x weight=0.5 label.class=h100 label.rack=r=7
               # gpu-3 is in repair
            gpu-4 [::1]:8000 version=v3 model=qwen@2
            """)
        #expect(
            list.members == [
                Member(
                    "gpu-1", address: "10.0.1.1:8000", zone: "a", region: "eu", model: "llama-3.1-70b",
                    version: ModelVersion(2, 3, 1)),
                Member(
                    "gpu-2", address: "https://10.0.2.1:8000/v1#x", weight: 0.5,
                    labels: ["class": "h100", "rack": "r=7"]),
                Member("gpu-4", address: "[::1]:8000", model: "qwen", version: ModelVersion(3)),
            ])
        #expect(try MemberList("").members.isEmpty)
        #expect(try MemberList("# nobody\n\n").members.isEmpty)
    }

    @Test(
        "every line that cannot be read is told with its number",
        arguments: [
            ("gpu-1", "line 1: gpu-1 has no address"),
            ("\ngpu-1 # 10.0.0.1", "line 2: gpu-1 has no address"),
            ("gpu-1 zone=a", "line 1: a name and an address come first"),
            ("gpu-1 a:1 zoen=a", "line 1: there is no 'zoen'; " + knownKeys),
            ("gpu-1 a:1 zone", "line 1: 'zone' is no key=value"),
            ("gpu-1 a:1 zone=", "line 1: zone has no value"),
            ("gpu-1 a:1 zone=a zone=b", "line 1: zone is there twice"),
            ("gpu-1 a:1 weight=heavy", "line 1: weight cannot be 'heavy'"),
            ("gpu-1 a:1 weight=0", "line 1: Member: weight is 0.0, but must be above 0 and at most 1000"),
            ("gpu-1 a:1 weight=nan", "line 1: Member: weight is nan, but must be above 0 and at most 1000"),
            ("gpu-1 a:1 version=new", "line 1: version cannot be 'new'"),
            ("gpu-1 a:1 model=llama@latest", "line 1: model cannot be 'llama@latest'"),
            ("gpu-1 a:1 label.=x", "line 1: there is no 'label.'; " + knownKeys),
            ("gpu-1 a:1\ngpu-2 b:1\ngpu-1 c:1", "line 3: gpu-1 is in line 1 already"),
            ("gpu-1\ngpu-2 b:1\ngpu-3", "line 1: gpu-1 has no address; line 3: gpu-3 has no address"),
        ])
    func problems(text: String, expected: String) {
        let error = #expect(throws: MemberListError.self) { try MemberList(text) }
        #expect(error?.description == expected)
    }

    @Test("a file that is no list is told with 20 problems and not with all")
    func bounded() {
        let error = #expect(throws: MemberListError.self) {
            try MemberList(String(repeating: "<html>\n", count: 10_000))
        }
        #expect(error?.problems.count == 20)
    }

    @Test("any text is read or refused")
    func anything() {
        let pieces = ["gpu", " ", "\n", "=", "zone", "#", "a:1", "\t", "weight", "1", "@", "é", "\u{0}", ".", "label."]
        for seed in 1...2_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let text = (0..<Int.random(in: 0...40, using: &random))
                .map { _ in pieces.randomElement(using: &random)! }.joined()
            guard let list = try? MemberList(text) else { continue }
            #expect(throws: Never.self, "seed \(seed)") {
                try Members().update(list.members, allowingNone: true)
            }
        }
    }
}
