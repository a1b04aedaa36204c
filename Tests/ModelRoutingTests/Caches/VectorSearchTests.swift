import CSpillway
import SpillwayCore
import Testing

@testable import ModelRouting

/// Numbers from −1 to 1.
func component(_ random: RandomSource) -> Float { Float(random.upTo(2_000_000)) / 1_000_000 - 1 }

func randomVector(_ dimension: Int, _ random: RandomSource) -> [Float] {
    (0..<dimension).map { _ in component(random) }
}

/// A vector close to another: the larger `noise`, the less.
func near(_ vector: [Float], _ noise: Float, _ random: RandomSource) -> [Float] {
    let size = vector.reduce(Float(0)) { max($0, abs($1)) }
    return vector.map { $0 + noise * size * component(random) }
}

@Suite struct VectorSearchTests {
    private struct Block: ~Copyable {
        let words = UnsafeMutablePointer<spw_vectors>.allocate(capacity: 1)
        let query = UnsafeMutablePointer<spw_query>.allocate(capacity: 1)
        let dimension: Int

        init(_ capacity: Int, _ dimension: Int) {
            self.dimension = dimension
            words.initialize(to: spw_vectors())
            query.initialize(to: spw_query())
            #expect(spw_vectors_init(words, UInt32(capacity), UInt32(dimension)))
            #expect(spw_query_init(query, UInt32(dimension)))
        }

        deinit {
            spw_vectors_destroy(words)
            spw_query_destroy(query)
            words.deallocate()
            query.deallocate()
        }

        func set(_ slot: Int, _ vector: [Float], tag: UInt64 = 1, stored: Int64 = 1) {
            #expect(spw_query_set(query, vector, UInt32(dimension)))
            spw_vectors_set(words, UInt32(slot), query, tag, stored, UInt64(slot) + 1)
        }

        /// What the search finds, and what it finds by reading all.
        func search(
            _ vector: [Float], _ threshold: Float, tag: UInt64 = 1, after: Int64 = 0
        ) -> (quick: spw_nearest, whole: spw_nearest) {
            #expect(spw_query_set(query, vector, UInt32(dimension)))
            let start = spw_nearest(score: threshold, block: 0, slot: 0, is_found: false, stamp: 0)
            var quick = start, whole = start
            let capacity = words.pointee.capacity
            spw_vectors_search(words, 3, capacity, query, tag, after, &quick)
            spw_vectors_search_all(words, 3, capacity, query, tag, after, &whole)
            return (quick, whole)
        }
    }

    /// The cosine in double precision.
    private func cosine(_ left: [Float], _ right: [Float]) -> Double {
        func product(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        return product(left, right) / (product(left, left) * product(right, right)).squareRoot()
    }

    @Test func `finds what reading all finds, to the bit`() {
        forEachSeed(1...30) { seed, random in
            let dimension = [1, 2, 3, 15, 16, 17, 33, 48, 100, 384][Int(seed % 10)]
            let count = 1 + random.upTo(dimension > 50 ? 30 : 200), block = Block(count, dimension)
            // Some vectors of many are close to each other, some have one large component, some are tiny or huge.
            let centre = randomVector(dimension, random)
            var vectors: [[Float]] = []
            for slot in 0..<count {
                var vector = near(centre, [0.001, 0.02, 0.1, 1][random.upTo(3)], random)
                if random.upTo(5) == 0 { vector = randomVector(dimension, random) }
                if random.upTo(5) == 0 { vector[random.upTo(dimension - 1)] *= 1_000 }
                if random.upTo(5) == 0 { vector = vector.map { $0 * [1e-30, 1e-6, 1e6, 1e30][random.upTo(3)] } }
                // Sometimes the same again: the first counts.
                if slot > 0, random.upTo(9) == 0 { vector = vectors[random.upTo(slot - 1)] }
                if !vector.contains(where: { $0 != 0 }) { vector[0] = 1 }
                vectors.append(vector)
                block.set(slot, vector, tag: 1 + UInt64(random.upTo(1)), stored: Int64(random.upTo(10)))
            }
            for _ in 0..<10 {
                var vector = near(centre, [0, 0.001, 0.02, 0.1, 1][random.upTo(4)], random)
                if random.upTo(2) == 0 { vector = vectors[random.upTo(count - 1)] }
                if !vector.contains(where: { $0 != 0 }) { vector[0] = 1 }
                let threshold: Float = [0.98, 0.9999, 0.5, 0, -1][random.upTo(4)], after = Int64(random.upTo(5))
                let (quick, whole) = block.search(vector, threshold, tag: 1, after: after)
                #expect(
                    quick.is_found == whole.is_found && quick.slot == whole.slot && quick.stamp == whole.stamp
                        && quick.score.bitPattern == whole.score.bitPattern, "seed \(seed)")
                // And that is the truth, to within what floats can say.
                let truth = (0..<count).filter { slot in
                    block.words.pointee.tags[slot] == 1 && block.words.pointee.stored[slot] > after
                }.map { (slot: $0, cosine: cosine(vectors[$0], vector)) }
                let best = truth.map(\.cosine).max() ?? -2
                if whole.is_found {
                    #expect(abs(Double(whole.score) - best) < 1e-4, "seed \(seed)")
                    let found = truth.first { $0.slot == Int(whole.slot) }
                    #expect(found.map { abs($0.cosine - best) < 1e-4 } == true, "seed \(seed)")
                } else {
                    #expect(best < Double(threshold) + 1e-4, "seed \(seed)")
                }
            }
        }
    }

    @Test func `the bound holds where rounding is at its worst`() {
        // All products at the edge: each component of the vectors lies half-way between two bytes.
        for dimension in [16, 384, 16_384] {
            let block = Block(2, dimension)
            let wide = (0..<dimension).map { Float($0 == 0 ? 127 : ($0 % 2 == 0 ? 63.5 : -62.5)) }
            block.set(0, wide)
            block.set(1, wide.map { -$0 })
            for threshold: Float in [0.98, 0.99999] {
                let (quick, whole) = block.search(wide, threshold)
                #expect(quick.is_found && quick.slot == 0 && quick.score == whole.score)
            }
        }
    }

    @Test func `sums of products stay within 32 bits, whatever the width`() {
        for dimension in [16, 520, 4_096, 16_384] {
            let block = Block(1, dimension), flat = [Float](repeating: 1, count: dimension)
            block.set(0, flat)
            let (quick, whole) = block.search(flat, 0.9999)
            #expect(quick.is_found && whole.is_found && abs(quick.score - 1) < 1e-4)
        }
    }

    @Test func `most vectors are passed over by their bytes`() {
        // Not proof, but the purpose: of random vectors none is close enough to be read whole.
        let random = RandomSource.seeded(1), block = Block(500, 384)
        for slot in 0..<500 { block.set(slot, randomVector(384, random)) }
        for slot in 0..<500 { #expect(block.words.pointee.errors[slot] < 0.01) }
        #expect(spw_query_set(block.query, randomVector(384, random), 384))
        #expect(block.query.pointee.error < 0.001)
    }
}
