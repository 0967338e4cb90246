using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Harepd.Core.Model;

namespace Harepd.Postgres.Wire;

/// <summary>The login of one session: start-up message, then whatever proof the server's pg_hba.conf asks for (none, password, md5, SCRAM-SHA-256).</summary>
internal sealed class PgLogin(PgChannel channel, PgEndpoint endpoint, Instant deadline)
{
    private ScramSha256? _scram;

    /// <summary>Null when the server is ready for a query.</summary>
    public PgFault? Run()
    {
        if (channel.Send(StartupMessage(), deadline) is { } sendFault)
        {
            return sendFault;
        }

        while (true)
        {
            if (channel.Receive(deadline, out var type, out var body) is { } fault)
            {
                return fault;
            }

            var answer = type switch
            {
                'R' => Prove(body),
                'E' => PgSession.Error(body),
                _ => null,
            };
            if (answer is not null || type == 'Z')
            {
                return answer;
            }
        }
    }

    private byte[] StartupMessage()
    {
        var text = new StringBuilder();
        void Add(string name, string value) => text.Append(name).Append('\0').Append(value).Append('\0');
        Add("user", endpoint.User);
        Add("database", endpoint.Database);
        Add("application_name", endpoint.ApplicationName);
        Add("client_encoding", "UTF8");

        if (endpoint.PinsSearchPath)
        {
            Add("search_path", "pg_catalog");
        }

        foreach (var (name, value) in endpoint.Settings)
        {
            Add(name, value);
        }

        var body = Encoding.UTF8.GetBytes(text.Append('\0').ToString());
        var message = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), 3 << 16);
        body.CopyTo(message.AsSpan(8));
        return message;
    }

    private PgFault? Prove(ReadOnlySpan<byte> request)
    {
        var kind = request.Length < 4 ? -1 : BinaryPrimitives.ReadInt32BigEndian(request);
        var rest = request.Length < 4 ? [] : request[4..];
        return kind switch
        {
            0 => null,
            3 => WithPassword(password => PgChannel.Message('p', password)),
            5 when rest.Length >= 4 => WithMd5(rest[..4].ToArray()),
            10 => BeginScram(rest),
            11 => ContinueScram(rest),
            12 => _scram?.Accepts(Encoding.UTF8.GetString(rest)) == true ? null : Unsupported("the server's SCRAM proof is wrong"),
            _ => Unsupported("the login method that pg_hba.conf names for this user is not supported here: use peer, trust, scram-sha-256, md5 or password"),
        };
    }

    private PgFault? WithMd5(byte[] salt) => WithPassword(password =>
        PgChannel.Message('p', "md5" + Md5(Encoding.ASCII.GetBytes(Md5(Encoding.UTF8.GetBytes(password + endpoint.User))), salt)));

    private PgFault? BeginScram(ReadOnlySpan<byte> mechanisms)
    {
        if (!Encoding.ASCII.GetString(mechanisms).Split('\0').Contains(ScramSha256.Mechanism, StringComparer.Ordinal))
        {
            return Unsupported("the server offers no SASL mechanism but with channel binding");
        }

        return WithPassword(password =>
        {
            _scram = new ScramSha256(password);
            var first = Encoding.ASCII.GetBytes(_scram.ClientFirst);
            var name = Encoding.ASCII.GetBytes(ScramSha256.Mechanism + "\0");
            var body = new byte[name.Length + 4 + first.Length];
            name.CopyTo(body, 0);
            BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(name.Length), first.Length);
            first.CopyTo(body, name.Length + 4);
            return PgChannel.Message('p', body);
        });
    }

    private PgFault? ContinueScram(ReadOnlySpan<byte> challenge)
    {
        var final = _scram?.ClientFinal(Encoding.UTF8.GetString(challenge));
        return final is null
            ? Unsupported("the server's SCRAM challenge makes no sense")
            : channel.Send(PgChannel.Message('p', Encoding.ASCII.GetBytes(final)), deadline);
    }

    private PgFault? WithPassword(Func<string, byte[]> message) =>
        (endpoint.Password ?? PgPassFile.Find(endpoint)) is { Length: > 0 } password
            ? channel.Send(message(password), deadline)
            : Unsupported($"the server asks for a password of user {endpoint.User} and none is configured");

    private static PgFault Unsupported(string message) => new(PgFaultKind.Protocol, "", message);

    [SuppressMessage("Security", "CA5351", Justification = "The server's pg_hba.conf chose md5; there is no other answer to it.")]
    private static string Md5(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> salt = default) =>
        Convert.ToHexStringLower(MD5.HashData([.. bytes, .. salt]));
}
