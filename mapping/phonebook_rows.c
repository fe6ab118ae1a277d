/* What each document of a family takes (protocols: directory 2.3, 3-6, 8). */
#include "base/i18n.h"
#include "mapping/phonebook_sheet.h"

#define DIALS (TAKES_PLUS | TAKES_CODES)
/* Places by kind of number: work, home, fax, mobile, pager, other. */
#define ANYWHERE                                                                                                       \
    {                                                                                                                  \
        0, 0, 0, 0, 0, 0                                                                                               \
    }

static const struct phone_form forms[PHONE_FORMS] = {
    [FORM_YEALINK] = {.name = "yealink",
                      .address = "yealink/v1",
                      .title = N_("Yealink, remote phone book"),
                      .number = NUMBER_E164,
                      .takes = DIALS,
                      .number_max = 32},
    [FORM_YEALINK_BOOK] = {.name = "yealink-book",
                           .address = "yealink/v1?format=book",
                           .title = N_("Yealink, book in one file"),
                           .number = NUMBER_E164,
                           .takes = DIALS,
                           .number_max = 32,
                           .places = 3,
                           .width = 3,
                           .shares = true,
                           .place = ANYWHERE},
    [FORM_SNOM] = {.name = "snom",
                   .address = "snom/v1",
                   .title = N_("snom, directory of the browser"),
                   .number = NUMBER_E164,
                   .takes = DIALS | TAKES_SIP,
                   .places = 1,
                   .width = 1,
                   .place = ANYWHERE},
    [FORM_SNOM_TBOOK] = {.name = "snom-tbook",
                         .address = "snom/v1/tbook.xml",
                         .title = N_("snom, directory in the phone"),
                         .number = NUMBER_E164,
                         .takes = DIALS | TAKES_SIP,
                         .entries_held = 2000,
                         .parts = true},
    [FORM_SNOM_TBOOK1] = {.name = "snom-tbook1",
                          .address = "snom/v1?format=tbook1",
                          .title = N_("snom, directory in old phones"),
                          .number = NUMBER_E164,
                          .takes = DIALS | TAKES_SIP,
                          .entries_held = 100, /* of a 300, 320 or 360; a 370 holds 250, an m9 500 */
                          .parts = true,
                          .places = 1,
                          .width = 1,
                          .place = ANYWHERE},
    /* Only digits: a + makes no difference to 00, and bases that do not know it lose the number without a word. */
    [FORM_SNOM_DECT] = {.name = "snom-dect",
                        .address = "snom/v1/directory.xml",
                        .title = N_("snom, DECT bases M300, M700, M900"),
                        .number = NUMBER_IDD,
                        .name_max = 23,
                        .number_max = 21,
                        .entries_held = 3000,
                        .places = 3,
                        .width = 1,
                        .shares = true,
                        .place = {1, 0, 0, 2, 0, 0}},
    [FORM_SNOM_DECT_TEXT] = {.name = "snom-dect-text",
                             .address = "snom/v1/directory.txt",
                             .title = N_("snom, DECT bases, as text"),
                             .number = NUMBER_E164,
                             .takes = TAKES_PLUS,
                             .name_max = 23,
                             .number_max = 21,
                             .entries_held = 3000,
                             .places = 1,
                             .width = 1,
                             .place = ANYWHERE},
    [FORM_SNOM_M100] = {.name = "snom-m100",
                        .address = "snom/v1/m100.xml",
                        .title = N_("snom, M100 and M500"),
                        .number = NUMBER_E164,
                        .takes = DIALS,
                        .entries_max = 1000,
                        .parts = true,
                        .places = 3,
                        .width = 1,
                        .shares = true,
                        .place = {1, 0, 0, 2, 0, 0}},
    /* bp is not shown by all devices (5.2): business numbers go to hm where there is none at home. */
    [FORM_GIGASET] = {.name = "gigaset",
                      .address = "gigaset/v1?command=get_list",
                      .title = N_("Gigaset, online directory"),
                      .number = NUMBER_IDD,
                      .takes = DIALS | TAKES_FAX,
                      .name_max = 32,
                      .number_max = 32,
                      .parts = true,
                      .places = 4,
                      .width = 1,
                      .home_first = true,
                      .place = {2, 0, 3, 1, 0, 0}},
    /* 2000 entries of 2 names of 32 characters and 6 numbers of 32 never come to the 2 MB of 5.3. */
    [FORM_GIGASET_BOOK] = {.name = "gigaset-book",
                           .address = "gigaset/v1/phonebook.xml",
                           .title = N_("Gigaset, central phone book"),
                           .number = NUMBER_IDD,
                           .takes = DIALS,
                           .name_max = 32,
                           .number_max = 32,
                           .entries_max = 2000,
                           .parts = true,
                           .places = 6,
                           .width = 2,
                           .shares = true,
                           .place = {0, 2, 2, 1, 2, 2}},
    [FORM_GRANDSTREAM] = {.name = "grandstream",
                          .address = "grandstream/v1/phonebook.xml",
                          .title = N_("Grandstream"),
                          .number = NUMBER_E164,
                          .takes = DIALS | TAKES_FAX,
                          .entries_held = 1000,
                          .parts = true},
    [FORM_FRITZBOX] = {.name = "fritzbox",
                       .address = "fritzbox/v1",
                       .title = N_("FRITZ!Box"),
                       .number = NUMBER_NATIONAL,
                       .takes = DIALS | TAKES_FAX,
                       .places = 9,
                       .width = 9,
                       .shares = true,
                       .place = ANYWHERE},
    [FORM_CISCO] = {.name = "cisco",
                    .address = "cisco/v1",
                    .title = N_("Cisco"),
                    .number = NUMBER_E164,
                    .takes = DIALS,
                    .places = 1,
                    .width = 1,
                    .place = ANYWHERE},
    [FORM_FANVIL] = {.name = "fanvil",
                     .address = "fanvil/v1",
                     .title = N_("Fanvil"),
                     .number = NUMBER_E164,
                     .takes = DIALS,
                     .places = 3,
                     .width = 1,
                     .shares = true,
                     .place = {0, 2, 2, 1, 2, 2}},
};

const struct phone_form *phone_form_of(enum phone_form_id id)
{
    return &forms[id];
}

static const struct {
    const char *word;
    bool counts;
} losses[LOSS_KINDS] = {
    [LOSS_NAME_CUT] = {"name-cut", true},
    [LOSS_NAME_SPELLED] = {"name-spelled", false},
    [LOSS_FAX] = {"fax", false},
    [LOSS_UNDIALABLE] = {"undialable", true},
    [LOSS_CHARACTERS] = {"characters", true},
    [LOSS_TOO_LONG] = {"number-too-long", true},
    [LOSS_DOUBLE] = {"double", false},
    [LOSS_NO_NUMBER] = {"no-number", false},
    [LOSS_OVER_LIMIT] = {"over-limit", true},
    [LOSS_PHONE_FULL] = {"phone-full", true},
};

const char *loss_word(enum loss_kind kind)
{
    return losses[kind].word;
}

bool loss_counts(enum loss_kind kind)
{
    return losses[kind].counts;
}
