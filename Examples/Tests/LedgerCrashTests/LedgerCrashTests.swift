import Foundation
import Testing

@testable import LedgerCrash

/// A short run of `make crash-test`.
@Suite(.serialized, .timeLimit(.minutes(5))) struct LedgerCrashTests {
    @Test func `nothing is lost or counted twice when the process is killed`() async throws {
        let command = try #require(
            try LedgerCrash.parseAsRoot(["rounds", "--rounds", "20", "--seed", "7"]) as? RoundsCommand)
        try await command.run()
    }
}
