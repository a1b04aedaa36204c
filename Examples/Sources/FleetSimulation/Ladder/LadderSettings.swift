import Foundation
import Spillway
import SpillwayTesting

/// The hour: what fails when, and what there is beside the best model.
struct LadderSettings: Sendable {
    /// Seconds of the trace that are played.
    var seconds = 3_600.0
    /// When the best model fails, in seconds.
    var outage = 600.0..<1_800.0
    /// When the money is gone, in seconds.
    var broke = 3_000.0
    /// Replicas of the best model (70B on H200) and of the compact one (8B on A100).
    var replicas = (premium: 8, compact: 3)
    /// Calls that a replica takes at once: so many that the longest answers come within their limit.
    var limit = 16
    /// Nano-dollars for a million tokens of prompts and answers.
    var premium = (input: Int64(900_000_000), output: Int64(900_000_000))
    var compact = (input: Int64(200_000_000), output: Int64(200_000_000))
    /// Different questions that are asked, a few of them often: the n-th in proportion to 1/n.
    var questions = 20_000
    /// Of how many questions in a hundred the index holds the answer.
    var indexed = 60

    /// A question as callers ask it.
    func question(_ random: RandomSource) -> Int {
        // The inverse of the logarithm is that of the harmonic sum, but for the first few.
        Int(exp(random.uniform() * log(Double(questions)))).clamped(to: 1...questions)
    }

    /// Whether a change of mode at this second has a cause in this hour: up to ten minutes after the outage the best model may
    /// be found well again.
    func explains(_ second: Double) -> Bool {
        (outage.lowerBound..<outage.upperBound + 600).contains(second) || second >= broke - 60
    }

    /// What goes wrong with the best model: which way, the seed says.
    func script(_ random: RandomSource) throws -> FaultScript {
        let start = Duration.seconds(outage.lowerBound),
            length = Duration.seconds(outage.upperBound - outage.lowerBound)
        let places = (0..<replicas.premium).map { Fault.Place.replica($0) }
        let way = random.upTo(2)
        return FaultScript(
            try places.map { place in
                switch way {
                case 0: try .crash(place, at: start, for: length)
                case 1: try .hang(place, at: start, for: length)
                default: try .errors(place, rate: 0.95, at: start, for: length)
                }
            })
    }
}

extension Comparable {
    fileprivate func clamped(to range: ClosedRange<Self>) -> Self { min(max(self, range.lowerBound), range.upperBound) }
}
