using System.Globalization;
using Harepd.Grpc;
using Xunit;

namespace Harepd.Tests.Grpc;

public sealed class GrpcTextTests
{
    [Theory]
    [InlineData("1H", 3_600_000)]
    [InlineData("2M", 120_000)]
    [InlineData("3S", 3000)]
    [InlineData("250m", 250)]
    [InlineData("5000u", 5)]
    [InlineData("1000000n", 1)]
    [InlineData("99999999H", 359_999_996_400_000)]
    public void A_timeout_is_read_in_every_unit(string text, long milliseconds)
    {
        Assert.True(GrpcTimeout.TryParse(text, out var timeout));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), timeout);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("S")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData("1.5S")]
    [InlineData(" 1S")]
    [InlineData("123456789S")]
    [InlineData("1SS")]
    public void A_malformed_timeout_is_refused(string? text) => Assert.False(GrpcTimeout.TryParse(text, out _));

    [Theory]
    [InlineData(1)]
    [InlineData(250)]
    [InlineData(99_999)]
    [InlineData(100_000)]
    [InlineData(86_400_000)]
    [InlineData(8_640_000_000)]
    public void A_written_timeout_reads_back(long milliseconds)
    {
        var timeout = TimeSpan.FromMilliseconds(milliseconds);
        Assert.True(GrpcTimeout.TryParse(GrpcTimeout.Format(timeout), out var back));
        Assert.Equal(timeout, back);
    }

    [Theory]
    [InlineData("plain text")]
    [InlineData("100 % größer — 日本 \r\n\t\0")]
    [InlineData("")]
    [InlineData("emoji 🐘")]
    public void A_message_survives_the_encoding_as_printable_ascii(string text)
    {
        var encoded = PercentText.Encode(text);
        Assert.All(encoded, c => Assert.InRange(c, ' ', '~'));
        Assert.Equal(text, PercentText.Decode(encoded));
    }

    [Theory]
    [InlineData("100%", "100%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz!", "%zz!")]
    [InlineData("%41%", "A%")]
    [InlineData("ü%C3%BC", "üü")]
    public void A_broken_encoding_is_read_as_it_is(string encoded, string text) => Assert.Equal(text, PercentText.Decode(encoded));

    [Theory]
    [InlineData("application/grpc", true)]
    [InlineData("application/grpc+proto", true)]
    [InlineData("Application/gRPC; charset=utf-8", true)]
    [InlineData("application/grpc+json", false)]
    [InlineData("application/grpc-web", false)]
    [InlineData("application/json", false)]
    [InlineData(null, false)]
    public void Content_types_are_told_apart(string? type, bool isGrpc) => Assert.Equal(isGrpc, GrpcHeaders.IsGrpc(type));

    [Fact]
    public void An_overlong_detail_is_cut() =>
        Assert.Equal(1024, new GrpcException(GrpcStatusCode.Unknown, new string('x', 5000)).Detail.Length);

    [Fact]
    public void The_numbers_of_the_statuses_are_those_of_the_protocol() =>
        Assert.Equal(Enumerable.Range(0, 17), Enum.GetValues<GrpcStatusCode>().Select(code => Convert.ToInt32(code, CultureInfo.InvariantCulture)));
}
