import Foundation
import Spillway
import SpillwaySQLite

extension Configuration {
    /// How conversations are kept with the replicas of fleets.
    struct Sessions: Sendable {
        /// Where it is written which replica has which; nil: in memory alone.
        var file: String?
        /// Whether the last turn also survives a power loss.
        var synchronous = SQLiteSessionStore.Synchronous.normal
        /// How long a conversation is known after its last turn.
        var keeps: Duration = .seconds(86_400)
        /// The most that are kept in memory.
        var most = 100_000
    }
}

extension Configuration.Sessions {
    /// Reads the field `sessions`; a relative path starts where `configuration` lies.
    init(_ field: Field, beside configuration: String) throws {
        let fields = try field.fields("file", "synchronous", "keepSeconds", "most")
        self.init()
        file = try fields["file"].map {
            URL(fileURLWithPath: try $0.text(), relativeTo: URL(fileURLWithPath: configuration)).path
        }
        if file == nil, let field = fields["synchronous"] { throw field.fault("is for sessions with a 'file'") }
        if file != nil, let field = fields["most"] { throw field.fault("is for sessions without a 'file'") }
        synchronous = try fields["synchronous"]?.choice(["full": .full, "normal": .normal]) ?? synchronous
        keeps = try fields.number("keepSeconds", in: 1...31_536_000).map { .seconds($0) } ?? keeps
        most = try fields.count("most", in: 1...10_000_000) ?? most
    }
}
