import Foundation
import Testing

@testable import JobCrash

/// A short run of `make crash-test`.
@Suite(.serialized, .timeLimit(.minutes(15))) struct JobCrashTests {
    @Test func `no job is lost or done twice when processes are killed`() async throws {
        let command = try #require(
            try JobCrash.parseAsRoot(["rounds", "--rounds", "12", "--seed", "7"]) as? RoundsCommand)
        try await command.run()
    }
}
