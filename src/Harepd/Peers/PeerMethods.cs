using Harepd.Grpc;
using Harepd.Wire.Models;
using Harepd.Wire.V1;

namespace Harepd.Peers;

/// <summary>The methods that members call on each other, and the one that the 2021 daemon calls.</summary>
internal static class PeerMethods
{
    public const string Service = "harepd.v1.Peer";
    public const string GoService = "models.ClusterInfo";

    public static readonly GrpcMethod<VoteRequest, VoteReply> Vote = new(Service, "Vote", VoteRequest.Parser, VoteReply.Parser);

    public static readonly GrpcMethod<ShareRequest, ShareReply> Share = new(Service, "Share", ShareRequest.Parser, ShareReply.Parser);

    public static readonly GrpcMethod<StatusRequest, StatusReply> Status = new(Service, "Status", StatusRequest.Parser, StatusReply.Parser);

    public static readonly GrpcMethod<HistoryRequest, HistoryReply> History = new(Service, "History", HistoryRequest.Parser, HistoryReply.Parser);

    public static readonly GrpcMethod<WhatYouKnow, IKnow> GetClusterInfo = new(GoService, "GetClusterInfo", WhatYouKnow.Parser, IKnow.Parser);
}
