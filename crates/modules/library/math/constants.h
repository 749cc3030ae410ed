/* Constants of the elementary functions, in fixed point, rounded to nearest. A comment states the value of an integer n
 * of b fraction bits as n / 2^b. */
#ifndef WEIGHTWARE_MATH_CONSTANTS_H
#define WEIGHTWARE_MATH_CONSTANTS_H

#include "../module.h"

/* log2 e, 127 bits. */
#define LOG2_E_HIGH 0xb8aa3b295c17f0bbu
#define LOG2_E_LOW 0xbe87fed0691d3e89u

/* ln 2, 64 bits. */
#define LN_2 0xb17217f7d1cf79acu

/* 4/3, 63 bits. */
#define FOUR_THIRDS 0xaaaaaaaaaaaaaaabu

/* pi and pi/2, 62 bits. */
#define PI 0xc90fdaa22168c235u
#define HALF_PI 0x6487ed5110b4611au

/* 2^(i/64), 63 bits. */
static const uint64_t EXP2[64] = {
    0x8000000000000000u, 0x8164d1f3bc030773u, 0x82cd8698ac2ba1d7u, 0x843a28c3acde4046u,
    0x85aac367cc487b15u, 0x871f61969e8d1010u, 0x88980e8092da8527u, 0x8a14d575496efd9au,
    0x8b95c1e3ea8bd6e7u, 0x8d1adf5b7e5ba9e6u, 0x8ea4398b45cd53c0u, 0x9031dc431466b1dcu,
    0x91c3d373ab11c336u, 0x935a2b2f13e6e92cu, 0x94f4efa8fef70961u, 0x96942d3720185a00u,
    0x9837f0518db8a96fu, 0x99e0459320b7fa65u, 0x9b8d39b9d54e5539u, 0x9d3ed9a72cffb751u,
    0x9ef5326091a111aeu, 0xa0b0510fb9714fc2u, 0xa27043030c496819u, 0xa43515ae09e6809eu,
    0xa5fed6a9b15138eau, 0xa7cd93b4e965356au, 0xa9a15ab4ea7c0ef8u, 0xab7a39b5a93ed337u,
    0xad583eea42a14ac6u, 0xaf3b78ad690a4375u, 0xb123f581d2ac2590u, 0xb311c412a9112489u,
    0xb504f333f9de6484u, 0xb6fd91e328d17791u, 0xb8fbaf4762fb9ee9u, 0xbaff5ab2133e45fbu,
    0xbd08a39f580c36bfu, 0xbf1799b67a731083u, 0xc12c4cca66709456u, 0xc346ccda24976407u,
    0xc5672a115506daddu, 0xc78d74c8abb9b15du, 0xc9b9bd866e2f27a3u, 0xcbec14fef2727c5du,
    0xce248c151f8480e4u, 0xd06333daef2b2595u, 0xd2a81d91f12ae45au, 0xd4f35aabcfedfa1fu,
    0xd744fccad69d6af4u, 0xd99d15c278afd7b6u, 0xdbfbb797daf23755u, 0xde60f4825e0e9124u,
    0xe0ccdeec2a94e111u, 0xe33f8972be8a5a51u, 0xe5b906e77c8348a8u, 0xe8396a503c4bdc68u,
    0xeac0c6e7dd24392fu, 0xed4f301ed9942b84u, 0xefe4b99bdcdaf5cbu, 0xf281773c59ffb13au,
    0xf5257d152486cc2cu, 0xf7d0df730ad13bb9u, 0xfa83b2db722a033au, 0xfd3e0c0cf486c175u,
};

/* (ln 2 / 64)^i / i! for i = 1, 2, 3, 70 bits, and 4 to 7, 62 bits. */
static const uint64_t EXP2_HIGH[3] = {
    0xb17217f7d1cf79acu, 0x00f5fdeffc162c75u, 0x0000e35846b82506u,
};
static const uint32_t EXP2_LOW[4] = {0x9d955b7eu, 0x00576200u, 0x00002861u, 0x00000010u};

/* 1 / (64^i (i + 1)) for i = 1 to 5, and 6 to 10, 70 bits. */
static const uint64_t LOG_HIGH[5] = {
    0x8000000000000000u, 0x0155555555555555u, 0x0004000000000000u, 0x00000ccccccccccdu,
    0x0000002aaaaaaaabu,
};
static const uint32_t LOG_LOW[5] = {0x92492492u, 0x02000000u, 0x00071c72u, 0x0000199au, 0x0000005du};

/* Nearly 64 / (45 + i), 9 bits; 1 for i = 19. */
static const uint16_t INVERSES[46] = {
    728, 712, 697, 683, 669, 655, 643, 630, 618, 607, 596, 585, 575, 565, 555, 546,
    537, 529, 520, 512, 504, 496, 489, 482, 475, 468, 462, 455, 449, 443, 437, 431,
    426, 420, 415, 410, 405, 400, 395, 390, 386, 381, 377, 372, 368, 364,
};

/* -log2 of these, signed, 116 bits: upper and lower half. */
static const uint64_t LOG2[46][2] = {
    {0xfff7e012ba343340u, 0x6635e5cdfd4c2970u}, {0xfff8636557862acbu, 0x7ceb987b42e3bb33u},
    {0xfff8e1381cec2b97u, 0x024fe64508adf999u}, {0xfff9591f28d9ce3du, 0x8198a209c62b89cbu},
    {0xfff9d381f287d26fu, 0x96bb45a980c7b137u}, {0xfffa507b5e641f7cu, 0xa901aada1857f9cfu},
    {0xfffabdbf5c01c7d7u, 0x9b36e606f18f117cu}, {0xfffb3671a72535f2u, 0x9947070fc4aa8439u},
    {0xfffba81662513dc0u, 0x29a071eeb0f8e6f8u}, {0xfffc123753530035u, 0x54e57458d743d2eeu},
    {0xfffc7e492644d642u, 0x37e3b24cecc60218u}, {0xfffcec5e5ea979e6u, 0x65e245fe36792a5eu},
    {0xfffd524159ae54e7u, 0x549a3e5b32a7f922u}, {0xfffdb9edf345ad0du, 0xd830ee74ef2149deu},
    {0xfffe237483b65e22u, 0x48779077a7892488u}, {0xfffe8411169475d7u, 0xec3be51cdcabc0b6u},
    {0xfffee648bf960a0fu, 0x66be7ee4d11e92b5u}, {0xffff3efaff29c559u, 0xa77da8ad649da21fu},
    {0xffffa461a5e8f4b7u, 0x59d6476077b9fbd4u}, {0x0000000000000000u, 0x0000000000000000u},
    {0x00005d0fba187cd5u, 0x58d9520d847df030u}, {0x0000bb9ca64ecac6u, 0xaaef2e1c07f0438fu},
    {0x00010f9a634663adu, 0xccbd61136d37f123u}, {0x000164ce26c06715u, 0x6b43e42925a938dbu},
    {0x0001bb4102f92539u, 0x3c664ed16b688a2cu}, {0x000212fc719cc0c9u, 0x257490fbf64c9655u},
    {0x00025f3c65ab7fbau, 0x1343a3384109039du}, {0x0002b974a740ec5du, 0xa6a39ad03d78bd7au},
    {0x000307e6099b8b54u, 0xd719978fbbfee732u}, {0x00035765953d8e8eu, 0x4c59c322521086cbu},
    {0x0003a7faa87495abu, 0x8f49b9239d5e3329u}, {0x0003f9acefcb5903u, 0x9b772eda08e4cf72u},
    {0x00043ea120112cd4u, 0x421bc0f6d0aaadd0u}, {0x000492734ac4f35bu, 0x134107c0e54aecf4u},
    {0x0004d93894473208u, 0x33c2077fc2f4b557u}, {0x000520d979a575e5u, 0xaa8a607f6eeed318u},
    {0x0005695b5e8dc37bu, 0x5885b23dbdaaf11eu}, {0x0005b2c3da19723au, 0x80db6a0480592812u},
    {0x0005fd18b96385a2u, 0x0a0968271aaa9878u}, {0x000648600249374eu, 0xdfdc46af57199319u},
    {0x0006854bc50a606cu, 0xf5ec39974b36773au}, {0x0006d25753a4617du, 0xd4bcb97f73b859fcu},
    {0x000710b57131a22cu, 0xf3c2d9bc9c710454u}, {0x00075f9b02af0d5eu, 0x30f52d6ae74fdad4u},
    {0x00079f7d7f94e2acu, 0xd3bed456b24ed10fu}, {0x0007e012ba343340u, 0x6635e5cdfd4c2970u},
};

/* 2 / pi: 96 zeros, then the fraction. */
static const uint32_t TWO_OVER_PI[41] = {
    0x00000000u, 0x00000000u, 0x00000000u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u,
    0x3c439041u, 0xfe5163abu, 0xdebbc561u, 0xb7246e3au, 0x424dd2e0u, 0x06492eeau, 0x09d1921cu, 0xfe1deb1cu,
    0xb129a73eu, 0xe88235f5u, 0x2ebb4484u, 0xe99c7026u, 0xb45f7e41u, 0x3991d639u, 0x835339f4u, 0x9c845f8bu,
    0xbdf9283bu, 0x1ff897ffu, 0xde05980fu, 0xef2f118bu, 0x5a0a6d1fu, 0x6d367ecfu, 0x27cb09b7u, 0x4f463f66u,
    0x9e5fea2du, 0x7527bac7u, 0xebe5f17bu, 0x3d0739f7u, 0x8a5292eau, 0x6bfb5fb1u, 0x1f8d5d08u, 0x56033046u,
    0xfc7b6babu,
};

/* (pi/2)^(2i + 1) / (2i + 1)! for i = 0 to 4, 63 bits, and 5 to 8, 50 bits. */
static const uint64_t SINE_HIGH[5] = {
    0xc90fdaa22168c235u, 0x52aef39896f94afbu, 0x0a335e33bad570e9u, 0x009969667315ec2eu,
    0x000541e0d21fb9e0u,
};
static const uint32_t SINE_LOW[4] = {0xf183a7efu, 0x03d1e86au, 0x000b7d6eu, 0x00001aafu};

/* (pi/2)^(2i) / (2i)! for i = 1 to 5, 63 bits, and 6 to 9, 52 bits. */
static const uint64_t COSINE_HIGH[5] = {
    0x9de9e64df22ef2d2u, 0x20783e1036b58767u, 0x02aba78fc797ff40u, 0x001e1f506891babbu,
    0x0000d368f9510254u,
};
static const uint32_t COSINE_LOW[4] = {0x7e74e28eu, 0x01b6e24fu, 0x00048319u, 0x00000950u};

/* atan(i/8), 64 bits. */
static const uint64_t ARCTANGENTS[9] = {
    0x0000000000000000u, 0x1fd5ba9aac2f6dc6u, 0x3eb6ebf25901bac5u, 0x5bd86507937bc23au,
    0x76b19c1586ed3da3u, 0x8f005d5ef7f59f9bu, 0xa4bc7d1934f70924u, 0xb8053e2bc2319e74u,
    0xc90fdaa22168c235u,
};

/* 1/3, 1/5, 1/7, 63 bits, and 1/9, 1/11, 1/13, 1/15, 34 bits. */
static const uint64_t ARCTANGENT_HIGH[3] = {0x2aaaaaaaaaaaaaabu, 0x199999999999999au, 0x1249249249249249u};
static const uint32_t ARCTANGENT_LOW[4] = {0x71c71c72u, 0x5d1745d1u, 0x4ec4ec4fu, 0x44444444u};

#endif
