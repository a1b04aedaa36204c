internal import CSpillway

/// How a prompt begins, as hashes: what tells which replica has already computed it.
///
/// The prompt itself is not kept.
///
/// A chain: each hash stands for all of the prompt as far as its end, so equal hashes mean equal beginnings. Hashes of a text are
/// those of llm-d's endpoint picker: XXH64 of a block and of the hash before it, beginning with that of the model and the salt.
public struct Prefix: Sendable, Hashable {
    /// The prompt's tokens; an estimate where the prompt is given as text.
    public let tokens: Int
    /// The chain, one hash for every ``tokensPerHash`` tokens; what is left over has none.
    public let hashes: [UInt64]
    /// Tokens from hash to hash.
    public let tokensPerHash: Int

    /// The most hashes that are kept; what lies beyond counts as never computed.
    public static let mostHashes = 4_096

    /// The most tokens that a prompt is taken for.
    static let mostTokens = 1_000_000_000

    /// A prompt of which nothing is known but its length.
    ///
    /// - Parameter tokens: Its tokens, 0 or more.
    public static func unknown(tokens: Int) -> Prefix { Prefix(tokens: clamped(tokens), hashes: [], tokensPerHash: 1) }

    private init(tokens: Int, hashes: [UInt64], tokensPerHash: Int) {
        self.tokens = tokens
        self.hashes = hashes
        self.tokensPerHash = tokensPerHash
    }

    /// The beginning of a text.
    ///
    /// - Parameters:
    ///   - text: The prompt as it is sent, such as the body of a chat from its first message on.
    ///   - model: What answers it: caches of different models have nothing in common.
    ///   - salt: Whose cache it is, where tenants must not share one; empty by default.
    ///   - tokens: Its tokens; by default a quarter of its bytes.
    ///   - blockBytes: Bytes of a block, 64 by default, as llm-d has it (16 tokens of 4 bytes); 8 to 65,536.
    ///   - blocksPerHash: Of how many blocks one hash is kept, 8 by default: each is looked up at every choice. 1 to 1,024.
    public init(
        of text: UnsafeRawBufferPointer, model: String, salt: String = "", tokens: Int? = nil, blockBytes: Int = 64,
        blocksPerHash: Int = 8
    ) {
        let block = min(max(blockBytes, 8), 65_536), stride = min(max(blocksPerHash, 1), 1_024)
        let most = min(text.count / (block * stride), Self.mostHashes)
        let first = Self.first(model, salt)
        self.tokens = Self.clamped(tokens ?? (text.count + 3) / 4)
        // What a hash stands for is said in tokens, so that caches can be measured in them.
        tokensPerHash = max(1, self.tokens * block * stride / max(1, text.count))
        hashes = [UInt64](unsafeUninitializedCapacity: most) { buffer, count in
            guard most > 0, let bytes = text.baseAddress, let out = buffer.baseAddress else { return count = 0 }
            count = spw_hash_chain(bytes, text.count, block, first, stride, out, most)
        }
    }

    /// The beginning of a text.
    ///
    /// - Parameters:
    ///   - text: The prompt as it is sent.
    ///   - model: What answers it.
    ///   - salt: Whose cache it is; empty by default.
    ///   - tokens: Its tokens; by default a quarter of its bytes.
    public init(of text: String, model: String, salt: String = "", tokens: Int? = nil) {
        var text = text
        self = text.withUTF8 { Prefix(of: UnsafeRawBufferPointer($0), model: model, salt: salt, tokens: tokens) }
    }

    /// The beginning of a prompt that is known by its tokens.
    ///
    /// - Parameters:
    ///   - ids: The prompt's tokens.
    ///   - model: What answers it.
    ///   - salt: Whose cache it is; empty by default.
    ///   - tokensPerHash: Tokens from hash to hash, 128 by default; best a multiple of the engine's block; 1 to 16,384.
    public init(tokenIDs ids: [UInt32], model: String, salt: String = "", tokensPerHash: Int = 128) {
        let each = min(max(tokensPerHash, 1), 16_384)
        let most = min(ids.count / each, Self.mostHashes), first = Self.first(model, salt)
        tokens = ids.count
        self.tokensPerHash = each
        hashes = ids.withUnsafeBytes { bytes in
            [UInt64](unsafeUninitializedCapacity: most) { buffer, count in
                guard most > 0, let start = bytes.baseAddress, let out = buffer.baseAddress else { return count = 0 }
                count = spw_hash_chain(start, bytes.count, each * 4, first, 1, out, most)
            }
        }
    }

    /// A prompt whose blocks somebody else has hashed, such as an engine's or a trace's.
    ///
    /// - Parameters:
    ///   - blocks: The hashes, each of all of the prompt as far as its end; those past ``mostHashes`` are left aside.
    ///   - tokensPerBlock: Tokens of each, 1 or more.
    ///   - tokens: The prompt's tokens.
    public init(blocks: [UInt64], tokensPerBlock: Int, tokens: Int) {
        self.tokens = Self.clamped(tokens)
        tokensPerHash = min(max(1, tokensPerBlock), Self.mostTokens)
        hashes = Array(blocks.prefix(min(Self.mostHashes, self.tokens / tokensPerHash)))
    }

    private static func clamped(_ tokens: Int) -> Int { min(max(0, tokens), mostTokens) }

    private static func first(_ model: String, _ salt: String) -> UInt64 {
        var bytes = Array(model.utf8)
        bytes.append(contentsOf: salt.utf8)
        return bytes.withUnsafeBytes { spw_hash_xxh64($0.baseAddress, $0.count, 0) }
    }
}
