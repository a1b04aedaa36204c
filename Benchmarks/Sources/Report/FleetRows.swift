import CLimits
import CSpillway
import GPUClient
import SpillwayCore

/// What it costs to choose one of 256 replicas for a prompt of 8,000 tokens that all of them know something of.
func fleetRows(_ limits: Limits) throws -> [Row] {
    let members = (0..<256).map { Member("gpu-\($0)", address: "10.0.0.\($0):8000") }
    let fleet = try Fleet("bench", members: members, at: noon)
    let text = [UInt8]((0..<32_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
    let call = Call(tokens: .estimate(input: 8_000, maxOutput: 400))
    func prefix() -> Prefix { text.withUnsafeBytes { Prefix(of: $0, model: "llama") } }
    func place(_ prefix: Prefix?, _ index: Int) {
        guard let place = try? fleet.place(call, prefix: prefix, at: noon.later(index)) else { fatalError("refused") }
        place.firstToken(at: noon.later(index))
        place.settle(.success, at: noon.later(index))
    }
    // Every replica has seen a part of it.
    let known = prefix()
    for index in 0..<1_024 {
        place(Prefix(blocks: Array(known.hashes.prefix(index % 64)), tokensPerBlock: 128, tokens: 8_000), index)
    }
    let hash = measure(times: 1_000) { count in for _ in 0..<count { limit_keep(UInt64(prefix().hashes.count)) } }
    let long = measure(times: 1_000) { count in
        for _ in 0..<count {
            let prefix = text.withUnsafeBytes { Prefix(of: $0, model: "llama", blockBytes: 512, blocksPerHash: 1) }
            limit_keep(UInt64(prefix.hashes.count))
        }
    }
    let pick = measure(times: 1_000) { count in for index in 0..<count { place(prefix(), index) } }
    let plain = measure(times: 1_000) { count in for index in 0..<count { place(nil, index) } }
    let whole = measure(times: 1_000) { count in
        for _ in 0..<count { limit_keep(text.withUnsafeBytes { spw_hash_bytes($0.baseAddress, $0.count, 0) }) }
    }
    return [
        Row("prefix.hash", hash, whole.nanoseconds, "XXH3 of 32 KB"),
        Row("prefix.hash.512", long, whole.nanoseconds, "XXH3 of 32 KB"),
        Row("fleet.pick", pick, whole.nanoseconds + 256 * limits.load, "XXH3 of 32 KB+256 load"),
        Row("fleet.pick.noprefix", plain, 256 * limits.load, "256 load"),
    ]
}
