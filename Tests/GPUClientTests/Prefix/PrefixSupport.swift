import SpillwayCore
import Testing

@testable import GPUClient

/// How the hashes of others may be alike.
enum HashShape: CaseIterable {
    case spread, small, equalLow, equalMiddle, oneHome, lastHome

    /// Of what a table multiplies by that is made with it, so that all that lies in a few slots can be made.
    private static let inverse: UInt64 = {
        let factor = UInt64.goldenMultiplier
        var inverse = factor
        for _ in 0..<6 { inverse &*= 2 &- factor &* inverse }
        precondition(inverse &* factor == 1)
        return inverse
    }()

    /// A different one for every number below 2²⁴.
    func hash(_ number: Int) -> UInt64 {
        let word = UInt64(number)
        return switch self {
        case .spread: spread(word)
        case .small: word
        case .equalLow: word << 40
        case .equalMiddle: word & 0xfff | (word >> 12) << 52
        case .oneHome: word &* Self.inverse
        case .lastHome: ~word &* Self.inverse
        }
    }

    private func spread(_ word: UInt64) -> UInt64 {
        let mixed = (word &+ 1) &* 0xbf58_476d_1ce4_e5b9
        return (mixed ^ mixed >> 29) &* 0x94d0_49bb_1331_11eb
    }
}

/// A replica's cache by brute force: the hashes in the order of their last use.
struct SlowCache {
    private(set) var hashes: [UInt64] = []

    mutating func record(_ prompt: [UInt64], most: Int) {
        for hash in prompt.prefix(most).reversed() {
            hashes.removeAll { $0 == hash }
            hashes.append(hash)
        }
        hashes.removeFirst(max(0, hashes.count - most))
    }

    mutating func forgetAll() { hashes = [] }

    func run(_ prompt: [UInt64]) -> Int { prompt.prefix { hashes.contains($0) }.count }
}

/// Prompts that share their beginnings as conversations do: nodes of a tree that grows at random.
struct PromptTree {
    private var paths: [[UInt64]] = [[]]
    private let shape: HashShape

    init(_ shape: HashShape) { self.shape = shape }

    /// The number of prompts to go on from is bounded, so that they come again.
    mutating func next(_ random: inout RandomSource) -> [UInt64] {
        var prompt = paths.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            prompt.append(shape.hash(made))
            made += 1
        }
        if paths.count < 40 { paths.append(prompt) } else { paths[.random(in: 1..<40, using: &random)] = prompt }
        // Often a part of it, and sometimes with an end that nobody else has.
        var part = Array(prompt.prefix(.random(in: 0...prompt.count, using: &random)))
        if Bool.random(using: &random) {
            part.append(shape.hash(made))
            made += 1
        }
        return part
    }

    private var made = 0
}

extension PrefixMap {
    /// What ``match(_:matched:)`` says of each replica; nobody is told of twice.
    func lengths(_ prompt: [UInt64], replicas: Int) -> [Int] {
        var lengths = Array(repeating: 0, count: replicas)
        match(prompt) { place, length in
            #expect(lengths[place] == 0 && length > 0)
            lengths[place] = length
        }
        return lengths
    }
}
