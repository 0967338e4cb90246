using System.Net;
using Harepd.Grpc;

namespace Harepd.Peers;

/// <summary>How the other members are reached, and what may be spent on each.</summary>
internal sealed record PeerLinkOptions
{
    /// <summary>How long an answer to a vote is waited for. Longer than an attempt lasts is of no use.</summary>
    public TimeSpan VoteDeadline { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a share may take; the next one waits for it.</summary>
    public TimeSpan ShareDeadline { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>For name, connection and handshake together.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After so long without an acknowledgement by the peer's kernel the connection is given up. Bounds how long a healed cut goes unnoticed.</summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Votes without an answer towards one peer; more are dropped, for the candidate sends again by itself.</summary>
    public int MaxVotesInFlight { get; init; } = 32;

    /// <summary>Null where TLS is off.</summary>
    public Func<GrpcTlsMaterial>? Tls { get; init; }

    /// <summary>The name in every peer's certificate; null compares with the address that was dialled (<c>serverHostOverride</c>).</summary>
    public string? ServerName { get; init; }

    /// <summary>The local address to call from; null lets the kernel choose.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>The channel to a member; its id is its address.</summary>
    public GrpcChannel Open(Core.Model.MemberId peer)
    {
        var colon = peer.Address.LastIndexOf(':');
        var port = 0;
        if (colon <= 0 || !int.TryParse(peer.Address.AsSpan(colon + 1), out port))
        {
            throw new ArgumentException($"{peer} is not host:port", nameof(peer));
        }

        return new GrpcChannel(peer.Address[..colon].Trim('[', ']'), port, new GrpcChannelOptions
        {
            ConnectTimeout = ConnectTimeout,
            SilenceTimeout = SilenceTimeout,
            MaxMessageBytes = WireLimits.MaxShareBytes,
            Tls = Tls,
            ServerName = ServerName,
            LocalAddress = LocalAddress,
        });
    }
}
