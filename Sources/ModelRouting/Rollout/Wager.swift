/// A game that pays when the new one is worse: capital that grows only if it is.
///
/// Each round brings a number `d` from -1 upwards whose mean is not above 0 while the new one is within its tolerance. A
/// player who puts the part λ of the capital on it has `1 + λd` times as much afterwards. Within the tolerance the capital
/// never grows in the mean, so by Ville's inequality (1939) the chance that it is *ever* 1/α times what the player began
/// with is at most α, however often one looks: the test is valid at any time, and needs no distribution. This is testing
/// by betting: Waudby-Smith and Ramdas, *Estimating means of bounded random variables by betting* (JRSS B, 2024).
///
/// Which λ is best depends on how much worse it is, so the capital is spread over four; the sum grows as the best of them
/// does, less a constant. And since one that gets worse late has lost most of the capital before, half of it is held
/// back and comes into play little by little, the n-th round with the weight 100/((n + 100)(n + 101)), which adds up to
/// 1. That is a mixture over the round in which it gets worse (Shiryaev's; Shin, Ramdas, Rinaldo, *E-detectors*, 2022).
struct Wager {
    private let stakes: SIMD4<Double>
    private var capital = SIMD4<Double>()
    private var round = 0.0

    /// A game with four stakes, each positive; `d` must stay above -1 ÷ the largest.
    init(_ stakes: SIMD4<Double>) { self.stakes = stakes }

    /// The e-value: the capital for 1 at the beginning, with what is held back left out.
    var value: Double { capital.sum() / 4 }

    /// Plays one round.
    mutating func play(_ difference: Double) {
        let patience = 100.0
        var fresh = 0.5 * patience / ((round + patience) * (round + patience + 1))
        if round == 0 { fresh += 0.5 }
        round += 1
        let next = (capital + fresh) * (1 + stakes * difference)
        // In shadow mode nothing ends the game; it must not end in infinities either.
        capital = pointwiseMin(next, SIMD4(repeating: 1e300))
    }
}
