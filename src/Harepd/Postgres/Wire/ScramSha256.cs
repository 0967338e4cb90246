using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Harepd.Postgres.Wire;

/// <summary>The client's side of one SCRAM-SHA-256 exchange without channel binding (RFC 5802, RFC 7677). The user name travels in the start-up message.</summary>
internal sealed class ScramSha256(string password)
{
    public const string Mechanism = "SCRAM-SHA-256";

    /// <summary>Far above every server's default of 4,096; more would be an attack on the caller's deadline.</summary>
    private const int MostIterations = 1_000_000;

    private readonly string _nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
    private byte[] _serverSignature = [];

    /// <summary>The first message.</summary>
    public string ClientFirst => "n,," + Bare;

    private string Bare => $"n=,r={_nonce}";

    /// <summary>The second message, from the server's first; null when that is malformed.</summary>
    public string? ClientFinal(string serverFirst)
    {
        var parts = Parts(serverFirst);
        if (!parts.TryGetValue('r', out var nonce) || !nonce.StartsWith(_nonce, StringComparison.Ordinal)
            || !parts.TryGetValue('s', out var saltText) || !TryDecode(saltText, out var salt)
            || !parts.TryGetValue('i', out var count)
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < 1 or > MostIterations)
        {
            return null;
        }

        var withoutProof = $"c=biws,r={nonce}";
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, 32);
        var message = Encoding.UTF8.GetBytes($"{Bare},{serverFirst},{withoutProof}");
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        var proof = HMACSHA256.HashData(SHA256.HashData(clientKey), message);
        for (var i = 0; i < proof.Length; i++)
        {
            proof[i] ^= clientKey[i];
        }

        _serverSignature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message);
        return $"{withoutProof},p={Convert.ToBase64String(proof)}";
    }

    /// <summary>True when the server's last message proves that it knows the password too.</summary>
    public bool Accepts(string serverFinal) =>
        Parts(serverFinal).TryGetValue('v', out var text) && TryDecode(text, out var signature) && signature.AsSpan().SequenceEqual(_serverSignature);

    private static Dictionary<char, string> Parts(string message)
    {
        var parts = new Dictionary<char, string>();
        foreach (var part in message.Split(',').Where(part => part.Length > 2 && part[1] == '='))
        {
            parts.TryAdd(part[0], part[2..]);
        }

        return parts;
    }

    private static bool TryDecode(string text, out byte[] bytes)
    {
        bytes = new byte[text.Length];
        var isValid = Convert.TryFromBase64String(text, bytes, out var length);
        bytes = bytes[..length];
        return isValid;
    }
}
