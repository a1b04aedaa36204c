import Foundation

@testable import FleetSimulation

#if canImport(FoundationXML)
import FoundationXML
#endif

/// What an XML parser complains of; nil when the text is well-formed.
func complaint(about text: String) -> String? {
    let parser = XMLParser(data: Data(text.utf8))
    return parser.parse() ? nil : "line \(parser.lineNumber): \(String(describing: parser.parserError))"
}

extension StormPolicy {
    /// The result with the textbook's chance.
    func asPublished(seed: UInt64) throws -> StormResult {
        try run(StormFleet(StormSettings(), seed: seed, dice: PythonDice(seed: seed)))
    }

    /// The result with the same chance for all policies.
    func result(_ settings: StormSettings = .init(), seed: UInt64) throws -> StormResult {
        try run(StormFleet(settings, seed: seed, dice: SlotDice(seed: seed)))
    }
}
