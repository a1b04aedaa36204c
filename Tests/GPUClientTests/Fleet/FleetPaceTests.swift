import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

/// How fast replicas seem, and that no like one is left without calls because it once seemed slow.
@Suite struct FleetPaceTests {
    /// Three like replicas under a call every 15 ms, each with a prompt of its own; how many calls went to each.
    ///
    /// A first token takes 20 ms unless `wait` says otherwise of the n-th call there, and the other tokens 180 ms more.
    private func shares(
        _ calls: Int, streams: (Int) -> Bool = { _ in true }, wait: (Int, Int) -> Int64? = { _, _ in nil }
    ) throws -> [Int] {
        let members = (0..<3).map { Member("gpu-\($0)", address: "10.0.0.\($0):8000") }
        let fleet = try Fleet("llama", members: members, at: .zero, random: .seeded(1))
        var counts = [0, 0, 0], running: [(first: Int64?, end: Int64, visit: Held)] = []
        for number in 0..<calls {
            let now = Int64(number) * 15
            for index in running.indices {
                if let first = running[index].first, first <= now {
                    running[index].visit.placement?.firstToken(at: at(first))
                    running[index].first = nil
                }
                if running[index].end <= now {
                    let usage = Usage(input: 500, output: 19, source: .provider)
                    running[index].visit.placement.take()?.settle(.success, usage: usage, at: at(running[index].end))
                }
            }
            running.removeAll { $0.end <= now }
            let call = Call(tokens: .estimate(input: 500, maxOutput: 19), streams: streams(number))
            let prefix = Prefix(of: "prompt \(number)", model: "llama", tokens: 500)
            let held = Held(try fleet.place(call, prefix: prefix, at: at(now)))
            let place = members.firstIndex { $0.name == held.placement?.member.name }!
            counts[place] += 1
            let first = now + (wait(place, counts[place]) ?? 20)
            running.append((streams(number) ? first : nil, first + 180, held))
        }
        return counts
    }

    /// A placement in an array.
    private final class Held {
        var placement: Placement?
        init(_ placement: consuming Placement) { self.placement = consume placement }
    }

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test(arguments: [1, 3, 10], [200, 1_000, 10_000] as [Int64])
    func whoWarmsUpSlowlyGetsItsCalls(count: Int, milliseconds: Int64) throws {
        let counts = try shares(12_000, wait: { place, number in place == 0 && number <= count ? milliseconds : nil })
        #expect(counts.min()! > 1_400, "\(counts)")
    }

    @Test func streamsAmongWholeAnswersMakeNoReplicaSeemFast() throws {
        for streams: (Int) -> Bool in [
            { $0 % 2 == 0 }, { $0 * 7_919 % 13 < 6 }, { $0 == 1 }, { $0 % 100 == 0 }, { $0 > 500 }, { _ in false },
        ] {
            let counts = try shares(6_000, streams: streams)
            #expect(counts.min()! > 1_600, "\(counts)")
        }
    }

    @Test func whoIsSlowGetsFewerCallsAndStillSome() throws {
        let counts = try shares(6_000, wait: { place, _ in place == 0 ? 200 : nil })
        #expect(counts[0] < 500 && counts[0] > 10, "\(counts)")
    }
}
