import CostLedger
import HTTPTypes
import Hummingbird

/// Who asks: the holder of a key, or anybody where there are no tenants.
struct Caller: Sendable {
    /// The tenant's name; nil: there are none.
    let tenant: String?
    /// Who pays for all calls of the caller, the gateway as a whole first.
    let scopes: [Scope]
    /// What becomes of an answer that costs more than is held for it.
    let onLimit: OnLimit
    /// The account of `scopes`; nil: nothing is priced.
    let account: Account?

    /// A session or user of this caller: those of different tenants never share a name.
    func scope(_ kind: Scope.Kind, _ name: String) -> Scope {
        let short = name.utf8.count <= 120 ? name : KeyHash(of: name).text
        return Scope(kind, tenant.map { "\($0)/\(short)" } ?? short)
    }
}

extension HTTPFields {
    /// The key that a request bears; nil: none.
    var bearerKey: Substring? {
        guard let field = self[.authorization] else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let key = parts[1].drop { $0 == " " }
        return key.isEmpty ? nil : key
    }

    /// The session that a request belongs to; nil: it does not say.
    ///
    /// - Throws: ``APIError`` with the status 400 for one that is empty or too long.
    func session() throws -> String? {
        guard let id = self[.init("x-spillway-session")!] else { return nil }
        guard (1...200).contains(id.utf8.count) else {
            throw APIError(
                .badRequest, "x-spillway-session: must have 1 to 200 bytes, not \(id.utf8.count)",
                param: "x-spillway-session", code: "invalid_session")
        }
        return id
    }
}

extension APIError {
    /// What a request without a valid key is told.
    static func unauthorized(_ key: Substring?) -> APIError {
        // Never the key, nor whether some other is near it.
        let message =
            key == nil ? "An API key is needed: 'authorization: Bearer KEY'" : "The API key is not known here"
        var error = APIError(.unauthorized, message, code: "invalid_api_key")
        error.headers[.wwwAuthenticate] = "Bearer"
        return error
    }
}
