using System.Collections.Immutable;
using Google.Protobuf.Collections;
using Harepd.Core.Model;
using Harepd.Grpc;
using Harepd.Wire.Models;

namespace Harepd.Peers;

/// <summary>What a peer says of the cluster in the words of the 2021 daemon. Evidence about its view, never a vote.</summary>
internal abstract record GoAnswer(MemberId Peer)
{
    /// <summary>It told its rows.</summary>
    /// <param name="Peer">Who was asked.</param>
    /// <param name="Primaries">Addresses of active primaries as it gave them, sorted, each once.</param>
    /// <param name="Standbys">Addresses of active standbys, likewise.</param>
    /// <param name="Witness">Address of its witness; empty when it named none.</param>
    public sealed record Told(MemberId Peer, ImmutableArray<string> Primaries, ImmutableArray<string> Standbys, string Witness) : GoAnswer(Peer)
    {
        /// <summary>True where both name the same servers in the same places, as the 2021 daemon compares.</summary>
        public bool AgreesWith(Told other) => Primaries.SequenceEqual(other.Primaries) && Standbys.SequenceEqual(other.Standbys);
    }

    /// <summary>It could not be asked, or did not answer as it should.</summary>
    public sealed record Failed(MemberId Peer, GrpcStatusCode Code, string Reason) : GoAnswer(Peer);
}

/// <summary>
/// Asks a peer <c>GetClusterInfo</c> as the 2021 daemon does: one connection for each inquiry, and one deadline for all of it
/// (<c>connectionDeadline</c>).
/// </summary>
/// <param name="address">This node's <c>bindAddress</c>, which the peer is told.</param>
/// <param name="nodeId">Its own number in repmgr; -1 where it has none.</param>
/// <param name="options">How to reach peers; its deadlines are not used.</param>
/// <param name="deadline">For name, connection, handshake and answer together.</param>
internal sealed class GoInquiry(string address, int nodeId, PeerLinkOptions options, TimeSpan deadline)
{
    private const int MaxRows = 256;

    /// <summary>Never throws, but for the caller's own token.</summary>
    public async Task<GoAnswer> AskAsync(MemberId peer, CancellationToken token)
    {
        try
        {
            using var channel = (options with { ConnectTimeout = deadline, SilenceTimeout = deadline }).Open(peer);
            var known = await channel.CallAsync(PeerMethods.GetClusterInfo, new WhatYouKnow { Ip = address, NodeId = nodeId }, deadline, token);
            return new GoAnswer.Told(peer, Sort(known.Master), Sort(known.Slaves), WireLimits.Text(known.Witness, WireLimits.MaxName, "witness"));
        }
        catch (GrpcException failure)
        {
            token.ThrowIfCancellationRequested();
            return new GoAnswer.Failed(peer, failure.Code, failure.Detail);
        }
    }

    private static ImmutableArray<string> Sort(RepeatedField<string> rows) => rows.Count > MaxRows
        ? throw WireLimits.Refuse("rows", $"are more than {MaxRows}")
        : [.. rows.Select(row => WireLimits.Text(row, WireLimits.MaxName, "row")).Distinct().Order(StringComparer.Ordinal)];
}
