#include "judge/secret.h"

#include <gmock/gmock.h>

namespace moviechat::judge {
namespace {

const std::string kKey = "sk-5ecre7-0f-n0b0dy-else";

TEST(Secret, IsFoundHoweverItIsSpelled) {
  const Secret secret(kKey);
  for (const std::string& text : {
           kKey, "Bearer " + kKey + ".", std::string("SK-5ECRE7-0F-N0B0DY-ELSE"),
           std::string("sk%2D5ecre7%2d0f%2Dn0b0dy%2Delse"),
           std::string("%73%6b-5ecre7-0f-n0b0dy-else"),
           std::string(R"(\u0073k-5ecre7\u002d0f-n0b0dy-else)"),
           std::string("&#115;k-5ecre7&#x2d;0f-n0b0dy-else"),
           std::string("s k - 5 e c r e 7 - 0 f - n 0 b 0 d y - e l s e"),
           std::string("sk-5ecre7-\n0f-n0b0dy-else"), std::string("esle-yd0b0n-f0-7erce5-ks"),
           std::string("736b2d3565637265372d30662d6e306230"
                       "64792d656c7365"),
           std::string("c2stNWVjcmU3LTBmLW4wYjBkeS1lbHNl"),              // base64
           std::string("QmVhcmVyIHNrLTVlY3JlNy0wZi1uMGIwZHktZWxzZQ=="),  // "Bearer " before it
           std::string("LXNrLTVlY3JlNy0wZi1uMGIwZHktZWxzZQ"),            // "-" before it
       }) {
    EXPECT_TRUE(secret.is_in(text)) << text;
  }
}

TEST(Secret, IsNotFoundElsewhere) {
  const Secret secret(kKey);
  for (const char* text : {"", "sk-", "{'pred': 'yes', 'score': 5}", "100 %", "%zz \\u12 &#;",
                           "sk-5ecre7-0f-s0me0ne-else"}) {
    EXPECT_FALSE(secret.is_in(text)) << text;
  }
  EXPECT_FALSE(Secret("").is_in("any text"));
}

}  // namespace
}  // namespace moviechat::judge
