import CostLedger
import Foundation
import NIOCore
import Spillway

/// A call that is made later: what the client asked for, and who it is.
struct Errand: Codable, Sendable {
    /// Whether it is for embeddings.
    let isEmbedding: Bool
    /// The request, which wants the answer in one piece.
    let body: Data
    /// Whom it is for; nil: nobody in particular.
    let tenant: String?
    /// The key of the caller, by its name in the ledger; nil: there are no keys.
    let key: String?
    let session: String?
    let quality: Double
    let difficulty: Double
    let value: Int64?

    /// A call to be made later.
    init(_ request: ModelRequest, tenant: String?, caller: Caller?, session: String?, needs: Call.Needs) throws {
        isEmbedding = request.kind == .embeddings
        body = Data(try request.wholeBody().readableBytesView)
        self.tenant = tenant
        key = caller?.keyName
        self.session = session
        (quality, difficulty, value) = (needs.quality, needs.difficulty, needs.value)
    }

    /// What the answer must be like.
    var needs: Call.Needs { Call.Needs(quality: quality, difficulty: difficulty, value: value) }

    var kind: ModelRequest.Kind { isEmbedding ? .embeddings : .chat }

    /// As it is kept: the same for the same call.
    func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return [UInt8](try encoder.encode(self))
    }
}

extension Caller {
    /// What the ledger calls the caller's key; nil: there are none.
    var keyName: String? { scopes.first { $0.kind == .key }?.name }
}
