import Spillway
import SpillwayTesting

/// How large calls are: the 5 % quantiles of the prompts and the answers of 19,366 calls to a production service.
///
/// Azure's public LLM inference trace 2023, conversation (CC-BY-4.0; Patel et al., *Splitwise*, ISCA 2024): 1,155 tokens of
/// prompt and 211 of answer in the mean. Both are drawn by themselves, for they hardly go together there (−0.11).
enum CallSizes {
    private static let prompts: [Double] = [
        2, 181, 207, 372, 387, 396, 403, 414, 703, 984, 1020, 1045, 1071,
        1097, 1130, 1189, 1315, 1877, 2735, 4083, 4479,
    ]
    private static let answers: [Double] = [
        7, 41, 54, 67, 77, 85, 91, 96, 103, 113, 129, 151, 177,
        217, 384, 395, 400, 411, 424, 451, 651,
    ]

    static func draw(_ random: RandomSource) -> EngineModel.Request {
        EngineModel.Request(promptTokens: size(prompts, random), outputTokens: size(answers, random))
    }

    /// A size between the quantiles around a random share.
    private static func size(_ quantiles: [Double], _ random: RandomSource) -> Int {
        let place = random.uniform() * Double(quantiles.count - 1)
        let index = Int(place)
        let size = quantiles[index] + (place - Double(index)) * (quantiles[index + 1] - quantiles[index])
        return max(1, Int(size.rounded()))
    }
}
